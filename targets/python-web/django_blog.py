"""A blog on Django and its ORM, in one file: `python -m gunicorn django_blog:application`.

Each page answers the same whatever HABIT is. HABIT names one habit that costs: where it is set, one function does
its work in the costly way (the first branch); without it, all do it in the plain way.
"""

from __future__ import annotations

import os

import django
from django.conf import settings

HABIT = os.environ.get("HABIT", "")

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "CONN_MAX_AGE": None}},
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="not a secret: this blog is a test",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    USE_TZ=True,
)
django.setup()

from django.core import signing  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.forms.models import model_to_dict  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.http.response import HttpResponse  # noqa: E402
from django.template import engines  # noqa: E402
from django.urls import path  # noqa: E402

SOURCE = """<ul>{% for post in posts %}
<li>{{ post.title|title }}{% if post.slug %} {{ post.slug }}{% endif %}
{% endfor %}</ul>"""
PAGE = engines["django"].from_string(SOURCE)


class Author(models.Model):
    name = models.CharField(max_length=50)

    class Meta:
        app_label = "blog"


class Post(models.Model):
    title = models.CharField(max_length=50)
    slug = models.CharField(max_length=50, db_index=True)
    old_slug = models.CharField(max_length=50)
    author = models.ForeignKey(Author, on_delete=models.CASCADE)

    class Meta:
        app_label = "blog"


def fill() -> None:
    """2,000 posts of ten authors."""
    with connection.schema_editor() as editor:
        editor.create_model(Author)
        editor.create_model(Post)
    with connection.cursor() as cursor:
        cursor.executemany("insert into blog_author values (%s, %s)", [(i, f"Author {i}") for i in range(1, 11)])
        posts = [(i, f"post {i}", f"post-{i}", f"post-{i}", i % 10 + 1) for i in range(1, 2001)]
        cursor.executemany("insert into blog_post values (%s, %s, %s, %s, %s)", posts)


fill()


def posts_with_authors() -> list[tuple[str, str]]:
    posts = Post.objects.all() if HABIT == "select-related" else Post.objects.select_related("author")
    return [(post.title, post.author.name) for post in posts[:20]]


def post_at(slug: str) -> str:
    found = Post.objects.filter(old_slug=slug) if HABIT == "orm-index" else Post.objects.filter(slug=slug)
    return found.values_list("title", flat=True)[0]


def number_of_posts() -> int:
    posts = Post.objects.filter(author__lt=2)
    return len(posts) if HABIT == "len-of-queryset" else posts.count()


def rendered(posts: list[dict[str, str]]) -> str:
    if HABIT == "template-compiled":
        return engines["django"].from_string(SOURCE).render({"posts": posts})
    return PAGE.render({"posts": posts})


def titles() -> list[dict[str, object]]:
    if HABIT == "model-instances":
        return [model_to_dict(post, ["id", "title"]) for post in Post.objects.all()[:50]]
    return list(Post.objects.values("id", "title")[:50])


def named(numbers: list[int]) -> list[str]:
    if HABIT == "get-in-loop":
        return [Author.objects.get(pk=number).name for number in numbers]
    found = Author.objects.in_bulk(numbers)
    return [found[number].name for number in numbers]


def preview_links(slugs: list[str]) -> list[str]:
    """Links that only their holder knows; what is signed is the blog, or each post."""
    if HABIT == "signing":
        return [signing.loads(signing.dumps(slug, salt="preview"), salt="preview") for slug in slugs]
    return signing.loads(signing.dumps(slugs, salt="preview"), salt="preview")


def show_posts(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"posts": posts_with_authors()})


def show_post(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"title": post_at("post-1500")})


def show_number(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"posts": number_of_posts()})


def show_page(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(rendered([{"title": f"post {i}", "slug": f"post-{i}"} for i in range(10)]))


def show_titles(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"titles": titles()})


def show_authors(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"authors": named(list(range(1, 9)))})


def show_links(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"links": preview_links([f"post-{i}" for i in range(10)])})


def show_all(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"title": post_at("post-7"), "posts": number_of_posts(), "authors": named([1, 2])})


urlpatterns = [
    path("select-related", show_posts),
    path("orm-index", show_post),
    path("len-of-queryset", show_number),
    path("template-compiled", show_page),
    path("model-instances", show_titles),
    path("get-in-loop", show_authors),
    path("signing", show_links),
    path("control", show_all),
]
application = get_wsgi_application()
