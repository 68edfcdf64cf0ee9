"""Root URLs."""

from django.urls import include, path

urlpatterns = [path("", include("lifecycle.urls"))]

handler500 = "lifecycle.views.failures.server_error"
