import os
import sys

from django.conf import settings
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from receiving import receive

# In your own project these are in settings.py and urls.py; the view alone goes into views.py.
settings.configure(
    SECRET_KEY=os.environ.get("DJANGO_SECRET_KEY", "only for this example"), ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"]
)


@csrf_exempt  # the signature takes the place of the CSRF token
@require_POST
def webhook(request):
    # body before POST: a form is read only once.
    return HttpResponse(status=receive(request.body, request.headers))


urlpatterns = [path("webhook", webhook)]

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
