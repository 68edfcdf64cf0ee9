"""The one address of the page made by hand."""

from django.urls import path

from bench.pages import rows_by_hand

urlpatterns = [path("", rows_by_hand)]
