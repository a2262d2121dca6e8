"""The addresses of the worker's pages; ``sentinel.ui.links`` writes them into mail."""

from django.urls import path

from sentinel.respond import answer, confirm, objection, preferences, problem, unsubscribe

app_name = "respond"
urlpatterns = [
    path("a/<str:token>/more/", answer.honeypot, name="honeypot"),
    path("a/<str:token>/thanks/", answer.thanks, name="thanks"),
    path("a/<str:token>/<str:face>/", answer.answer, name="answer"),
    path("p/<str:token>/", problem.my_problem, name="problem"),
    path("c/<str:token>/", confirm.confirm, name="confirm"),
    path("c/<str:token>/<str:chosen>/", confirm.confirm, name="confirm-chosen"),
    path("o/<str:token>/", objection.objection, name="objection"),
    path("s/<str:token>/", preferences.preferences, name="preferences"),
    path("u/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
    path("u/<str:token>/one-click/", unsubscribe.one_click, name="one-click"),
]
