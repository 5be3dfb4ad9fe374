"""Uses the main features of the content service and checks the answers, or puts load on it:
client.py TARGET SERVICE-CONFIG [load]"""

import pathlib
import signal
import sys
import threading
import uuid
from concurrent import futures

import grpc
from content.v1 import admin_service_pb2 as admin_service
from content.v1 import admin_service_pb2_grpc as admin_service_grpc
from content.v1 import article_pb2 as article
from content.v1 import comment_pb2 as comment
from content.v1 import content_service_pb2 as content_service
from content.v1 import content_service_pb2_grpc as content_service_grpc
from google.protobuf import field_mask_pb2
from google.rpc import error_details_pb2
from grpc_status import rpc_status

# Every call, including the watch, must finish within this many seconds. Other calls than the watch
# have a shorter timeout in the service config.
TIMEOUT = 30


class Wrong(Exception):
    """An answer does not match the contract."""


def refusal(error):
    """The code, the reason and the fields at fault, as google.rpc's details give them."""
    reason, fields = None, []
    status = rpc_status.from_call(error)
    for detail in status.details if status else []:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            reason = error_details_pb2.ErrorInfo.FromString(detail.value).reason
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            bad_request = error_details_pb2.BadRequest.FromString(detail.value)
            fields = [violation.field for violation in bad_request.field_violations]
    return error.code(), reason, fields


def connect(target, service_config):
    """`target`: HOST:PORT, or several servers as ipv4:ADDRESS:PORT,ADDRESS:PORT."""
    options = [
        ("grpc.service_config", service_config),
        # A server that was restarted is used again within a second.
        ("grpc.max_reconnect_backoff_ms", 1000),
    ]
    return grpc.insecure_channel(target, options)


def names(resources):
    return [resource.name for resource in resources]


class Client:
    """Takes one article through its life and checks every answer on the way."""

    def __init__(self, channel):
        self.content = content_service_grpc.ContentServiceStub(channel)
        self.admin = admin_service_grpc.AdminServiceStub(channel)
        self.tag = f"python-{uuid.uuid4()}"
        self.article = f"articles/{self.tag}"
        self.word = f"word{uuid.uuid4().hex}"
        self.checks = 0
        self.stopped = threading.Event()

    def check(self, what, got, expected=True):
        if got != expected:
            raise Wrong(f"{what}: got {got}, not {expected}")
        print(f"ok: {what}", flush=True)
        self.checks += 1

    def check_refused(self, what, method, request, code, reason, fields=()):
        try:
            got = method(request, timeout=TIMEOUT)
        except grpc.RpcError as error:
            got = refusal(error)
        self.check(what, got, (code, reason, list(fields)))

    def run(self):
        self.publish()
        self.read()
        self.search()
        self.discuss()
        self.list_comments()
        self.change_while_watching()
        self.forget_fields()
        self.retract()

    def put_under_load(self):
        """Publishes an article, and reads it and comments on it until SIGTERM. Returns how many
        comments it wrote."""
        signal.signal(signal.SIGTERM, lambda *_: self.stopped.set())
        self.publish()
        with futures.ThreadPoolExecutor() as pool:
            return sum(pool.map(self.read_and_comment, range(4)))

    def read_and_comment(self, worker):
        comments = 0
        while not self.stopped.wait(0.02):
            self.content.GetArticle(content_service.GetArticleRequest(name=self.article))
            self.create_comment(f"{self.tag} {worker}.{comments}")
            comments += 1
        return comments

    def publish(self):
        answer = self.admin.PublishArticle(
            admin_service.PublishArticleRequest(
                article=article.Article(
                    name=self.article,
                    title="Calling the service from Python",
                    authors=[article.Author(display_name="A Client")],
                    language_code="en",
                    tags=[self.tag],
                    body=f"“Naïve” input first 🙂, then a rare word: {self.word}.",
                )
            ),
            timeout=TIMEOUT,
        )
        self.check(
            "PublishArticle creates an article",
            (answer.article.name, answer.outcome),
            (self.article, admin_service.PUBLISH_OUTCOME_CREATED),
        )

    def read(self):
        got = self.content.GetArticle(
            content_service.GetArticleRequest(name=self.article), timeout=TIMEOUT
        )
        self.check("GetArticle has the text", "“Naïve” input first 🙂" in got.article.body)

        missing = "articles/no-such-article"
        batch = self.content.BatchGetArticles(
            content_service.BatchGetArticlesRequest(
                names=[missing, self.article], allow_missing=True
            ),
            timeout=TIMEOUT,
        )
        self.check(
            "BatchGetArticles has what there is and names what is missing",
            (names(batch.articles), list(batch.missing_names)),
            ([self.article], [missing]),
        )

        tagged = self.content.ListArticles(
            content_service.ListArticlesRequest(tag=self.tag), timeout=TIMEOUT
        )
        self.check(
            "ListArticles finds the article by its tag", names(tagged.articles), [self.article]
        )

    def search(self):
        results = self.content.SearchArticles(
            content_service.SearchArticlesRequest(query=self.word), timeout=TIMEOUT
        ).results
        self.check(
            "SearchArticles finds the article by a word of its body",
            [result.article.name for result in results],
            [self.article],
        )
        self.check(
            "SearchArticles highlights the word",
            [part.text for part in results[0].snippet if part.highlighted],
            [self.word],
        )

    def create_comment(self, body, reply_to="", request_id=""):
        request = content_service.CreateCommentRequest(
            parent=self.article,
            comment=comment.Comment(
                author=comment.CommentAuthor(id="reader-1", display_name="A Reader"),
                body=body,
                reply_to=reply_to,
            ),
            # The service config repeats calls that fail: without a request_id, that could add
            # another comment.
            request_id=request_id or str(uuid.uuid4()),
        )
        return self.content.CreateComment(request, timeout=TIMEOUT).comment

    def discuss(self):
        request_id = str(uuid.uuid4())
        self.question = self.create_comment("Is it so?", request_id=request_id)
        self.check(
            "CreateComment on an open article is visible at once",
            self.question.state,
            comment.COMMENT_STATE_VISIBLE,
        )
        self.check(
            "CreateComment with the same request_id gives the same comment",
            self.create_comment("Is it so?", request_id=request_id).name,
            self.question.name,
        )
        self.remark = self.create_comment("Thanks!")
        self.reply = self.create_comment("It is.", reply_to=self.question.name)
        self.check(
            "CreateComment replies to a comment",
            (self.reply.reply_to, self.reply.depth),
            (self.question.name, 1),
        )

    def list_pages(self, page_token=""):
        """The pages from this token to the end, in threaded order, of one comment each."""
        while True:
            page = self.content.ListComments(
                content_service.ListCommentsRequest(
                    parent=self.article,
                    order=comment.COMMENT_ORDER_THREADED,
                    page_size=1,
                    page_token=page_token,
                ),
                timeout=TIMEOUT,
            )
            yield page
            page_token = page.next_page_token
            if not page_token:
                return

    def list_comments(self):
        threaded = [self.question.name, self.reply.name, self.remark.name]
        pages = list(self.list_pages())
        self.check(
            "ListComments goes through the threads from page to page",
            [names(page.comments) for page in pages],
            [[name] for name in threaded],
        )
        self.check(
            "ListComments counts the comments, each once",
            [page.comment_count for page in pages],
            [3, 3, 3],
        )

        page = self.content.GetArticlePage(
            content_service.GetArticlePageRequest(
                name=self.article,
                comment_order=comment.COMMENT_ORDER_THREADED,
                comment_page_size=1,
                min_revision=self.reply.article_revision,
            ),
            timeout=TIMEOUT,
        )
        self.check(
            "GetArticlePage has the article and its first comment",
            (page.article.comment_count, names(page.comments)),
            (3, threaded[:1]),
        )
        self.check(
            "GetArticlePage's token gets the others from ListComments",
            [names(rest.comments) for rest in self.list_pages(page.next_comment_page_token)],
            [[name] for name in threaded[1:]],
        )

    def update_question(self, body):
        return content_service.UpdateCommentRequest(
            comment=comment.Comment(
                name=self.question.name, body=body, etag=self.question.etag
            ),
            update_mask=field_mask_pb2.FieldMask(paths=["body"]),
        )

    def delete_question(self, etag):
        return content_service.DeleteCommentRequest(name=self.question.name, etag=etag)

    def get_question(self, min_revision):
        return content_service.GetCommentRequest(
            name=self.question.name, min_revision=min_revision
        )

    def change_while_watching(self):
        watch = self.content.WatchComments(
            content_service.WatchCommentsRequest(parent=self.article, after_revision=0),
            timeout=TIMEOUT,
        )
        latest = {}  # The latest state of each comment, by name.

        def watch_until(revision):
            for message in watch:
                latest.update((changed.name, changed) for changed in message.comments)
                if message.article_revision >= revision:
                    return

        watch_until(self.reply.article_revision)
        self.check(
            "WatchComments begins with the comments there are",
            latest.keys(),
            {self.question.name, self.remark.name, self.reply.name},
        )

        updated = self.content.UpdateComment(
            self.update_question("Is it really so?"), timeout=TIMEOUT
        ).comment
        self.check(
            "UpdateComment changes the text",
            (updated.body, updated.edit_count),
            ("Is it really so?", 1),
        )
        self.check_refused(
            "UpdateComment with a stale etag is ABORTED",
            self.content.UpdateComment,
            self.update_question("Perhaps not."),
            grpc.StatusCode.ABORTED,
            "ETAG_MISMATCH",
        )
        read = self.content.GetComment(
            self.get_question(updated.article_revision), timeout=TIMEOUT
        ).comment
        self.check("GetComment with min_revision sees the change", read.etag, updated.etag)
        self.check_refused(
            "GetComment refuses a min_revision that is not reached",
            self.content.GetComment,
            self.get_question(updated.article_revision + 1000),
            grpc.StatusCode.FAILED_PRECONDITION,
            "REVISION_NOT_REACHED",
        )
        watch_until(updated.article_revision)
        self.check(
            "WatchComments tells of the change",
            latest[self.question.name].body,
            "Is it really so?",
        )

        self.check_refused(
            "DeleteComment with a stale etag is ABORTED",
            self.content.DeleteComment,
            self.delete_question(self.question.etag),
            grpc.StatusCode.ABORTED,
            "ETAG_MISMATCH",
        )
        deleted = self.content.DeleteComment(
            self.delete_question(updated.etag), timeout=TIMEOUT
        )
        left = self.content.GetComment(
            self.get_question(deleted.article_revision), timeout=TIMEOUT
        ).comment
        self.check(
            "DeleteComment leaves a placeholder above the reply",
            (left.state, left.reply_count, left.body, left.HasField("author")),
            (comment.COMMENT_STATE_DELETED, 1, "", False),
        )
        watch_until(deleted.article_revision)
        self.check(
            "WatchComments tells of the deletion",
            latest[self.question.name].state,
            comment.COMMENT_STATE_DELETED,
        )

        watch.cancel()
        self.check(
            "WatchComments ends when it is cancelled", watch.code(), grpc.StatusCode.CANCELLED
        )

    def forget_fields(self):
        self.check_refused(
            "a request that lacks fields is INVALID_ARGUMENT, and each is named",
            self.content.CreateComment,
            content_service.CreateCommentRequest(parent=self.article, comment={}),
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_REQUEST",
            ["comment.author.id", "comment.author.display_name", "comment.body"],
        )

    def retract(self):
        self.admin.RetractArticle(
            admin_service.RetractArticleRequest(name=self.article), timeout=TIMEOUT
        )
        self.check_refused(
            "a retracted article is NOT_FOUND",
            self.content.GetArticle,
            content_service.GetArticleRequest(name=self.article),
            grpc.StatusCode.NOT_FOUND,
            "ARTICLE_NOT_FOUND",
        )


def main():
    load = sys.argv[3:] == ["load"]
    if len(sys.argv) != 3 and not load:
        sys.exit(__doc__)
    target, config_file = sys.argv[1:3]
    with connect(target, pathlib.Path(config_file).read_text()) as channel:
        client = Client(channel)
        try:
            if load:
                print(client.tag, client.put_under_load())
                return
            client.run()
        except Wrong as wrong:
            sys.exit(f"WRONG: {wrong}")
    print(f"{client.checks} checks passed")


if __name__ == "__main__":
    main()
