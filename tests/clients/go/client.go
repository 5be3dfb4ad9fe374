// Uses the main features of the content service and checks the answers, or puts load on it.
package main

import (
	"context"
	"fmt"
	"log"
	"maps"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // checks health, as the service config asks
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	contentv1 "example.com/app/gen/go/content/v1"
)

// Everything, including the watch, must finish within this time.
const timeout = 30 * time.Second

// A client takes one article through its life and checks every answer on the way.
type client struct {
	content contentv1.ContentServiceClient
	admin   contentv1.AdminServiceClient

	tag, article, word      string
	question, reply, remark *contentv1.Comment
	checks                  int
}

func newClient(connection grpc.ClientConnInterface) *client {
	tag := "go-" + uuid.NewString()
	return &client{
		content: contentv1.NewContentServiceClient(connection),
		admin:   contentv1.NewAdminServiceClient(connection),
		tag:     tag,
		article: "articles/" + tag,
		word:    "word" + strings.ReplaceAll(uuid.NewString(), "-", ""),
	}
}

// connect takes HOST:PORT, or several servers as ipv4:ADDRESS:PORT,ADDRESS:PORT.
func connect(target, serviceConfig string) *grpc.ClientConn {
	// A server that was restarted is used again within a second.
	reconnect := grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: 20 * time.Second}
	reconnect.Backoff.MaxDelay = time.Second
	return must(grpc.NewClient(target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithConnectParams(reconnect),
		grpc.WithResolvers(listResolver(target))))
}

// listResolver adds the targets with ipv4:, which gRPC has in other languages but not in Go.
func listResolver(target string) resolver.Builder {
	list := manual.NewBuilderWithScheme("ipv4")
	var state resolver.State
	for address := range strings.SplitSeq(strings.TrimPrefix(target, "ipv4:"), ",") {
		state.Addresses = append(state.Addresses, resolver.Address{Addr: address})
	}
	list.InitialState(state)
	return list
}

func must[Answer any](answer Answer, err error) Answer {
	if err != nil {
		log.Fatal(err)
	}
	return answer
}

func (c *client) check(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		log.Fatalf("WRONG: %s: got %v, not %v", what, got, want)
	}
	fmt.Println("ok:", what)
	c.checks++
}

// A refusal is what a call that fails says: its code, and google.rpc's details.
type refusal struct {
	code   codes.Code
	reason string
	fields []string
}

func refusalOf(err error) refusal {
	got := refusal{code: status.Code(err)}
	for _, detail := range status.Convert(err).Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			got.reason = detail.Reason
		case *errdetails.BadRequest:
			for _, violation := range detail.FieldViolations {
				got.fields = append(got.fields, violation.Field)
			}
		}
	}
	return got
}

// names of articles or comments.
func names[Resource interface{ GetName() string }](resources []Resource) []string {
	var all []string
	for _, resource := range resources {
		all = append(all, resource.GetName())
	}
	return all
}

func (c *client) run(ctx context.Context) {
	c.publish(ctx)
	c.read(ctx)
	c.search(ctx)
	c.discuss(ctx)
	c.listComments(ctx)
	c.changeWhileWatching(ctx)
	c.forgetFields(ctx)
	c.retract(ctx)
}

// putUnderLoad publishes an article, and reads it and comments on it until SIGTERM. It returns how
// many comments it wrote.
func (c *client) putUnderLoad(ctx context.Context) int64 {
	stopped, _ := signal.NotifyContext(ctx, syscall.SIGTERM)
	c.publish(ctx)
	var comments atomic.Int64
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for stopped.Err() == nil {
				must(c.content.GetArticle(ctx, &contentv1.GetArticleRequest{Name: c.article}))
				c.createComment(ctx, fmt.Sprint(c.tag, " ", comments.Add(1)), "", uuid.NewString())
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	workers.Wait()
	return comments.Load()
}

func (c *client) publish(ctx context.Context) {
	answer := must(c.admin.PublishArticle(ctx, &contentv1.PublishArticleRequest{
		Article: &contentv1.Article{
			Name:         c.article,
			Title:        "Calling the service from Go",
			Authors:      []*contentv1.Author{{DisplayName: "A Client"}},
			LanguageCode: "en",
			Tags:         []string{c.tag},
			Body:         "“Naïve” input first 🙂, then a rare word: " + c.word + ".",
		},
	}))
	c.check("PublishArticle creates an article", answer.Outcome, contentv1.PublishOutcome_PUBLISH_OUTCOME_CREATED)
	c.check("PublishArticle keeps the name", answer.Article.Name, c.article)
}

func (c *client) read(ctx context.Context) {
	got := must(c.content.GetArticle(ctx, &contentv1.GetArticleRequest{Name: c.article}))
	c.check("GetArticle has the text", strings.Contains(got.Article.Body, "“Naïve” input first 🙂"), true)

	missing := "articles/no-such-article"
	batch := must(c.content.BatchGetArticles(ctx, &contentv1.BatchGetArticlesRequest{
		Names:        []string{missing, c.article},
		AllowMissing: true,
	}))
	c.check("BatchGetArticles has what there is", names(batch.Articles), []string{c.article})
	c.check("BatchGetArticles names what is missing", batch.MissingNames, []string{missing})

	tagged := must(c.content.ListArticles(ctx, &contentv1.ListArticlesRequest{Tag: c.tag}))
	c.check("ListArticles finds the article by its tag", names(tagged.Articles), []string{c.article})
}

func (c *client) search(ctx context.Context) {
	answer := must(c.content.SearchArticles(ctx, &contentv1.SearchArticlesRequest{Query: c.word}))
	var found, highlighted []string
	for _, result := range answer.Results {
		found = append(found, result.Article.Name)
		for _, part := range result.Snippet {
			if part.Highlighted {
				highlighted = append(highlighted, part.Text)
			}
		}
	}
	c.check("SearchArticles finds the article by a word of its body", found, []string{c.article})
	c.check("SearchArticles highlights the word", highlighted, []string{c.word})
}

// createComment needs a request id, because the service config repeats calls that fail: without one,
// that could add another comment.
func (c *client) createComment(ctx context.Context, body, replyTo, requestID string) *contentv1.Comment {
	return must(c.content.CreateComment(ctx, &contentv1.CreateCommentRequest{
		Parent: c.article,
		Comment: &contentv1.Comment{
			Author:  &contentv1.CommentAuthor{Id: "reader-1", DisplayName: "A Reader"},
			Body:    body,
			ReplyTo: replyTo,
		},
		RequestId: requestID,
	})).Comment
}

func (c *client) discuss(ctx context.Context) {
	requestID := uuid.NewString()
	c.question = c.createComment(ctx, "Is it so?", "", requestID)
	c.check("CreateComment on an open article is visible at once",
		c.question.State, contentv1.CommentState_COMMENT_STATE_VISIBLE)
	again := c.createComment(ctx, "Is it so?", "", requestID)
	c.check("CreateComment with the same request_id gives the same comment", again.Name, c.question.Name)

	c.remark = c.createComment(ctx, "Thanks!", "", uuid.NewString())
	c.reply = c.createComment(ctx, "It is.", c.question.Name, uuid.NewString())
	c.check("CreateComment replies to a comment", c.reply.ReplyTo, c.question.Name)
	c.check("CreateComment puts a reply one deeper", c.reply.Depth, int32(1))
}

// listPages gets the pages from this token to the end, in threaded order, of one comment each. It
// returns the names on each of them, and the last page.
func (c *client) listPages(ctx context.Context, token string) ([][]string, *contentv1.ListCommentsResponse) {
	var pages [][]string
	for {
		page := must(c.content.ListComments(ctx, &contentv1.ListCommentsRequest{
			Parent:    c.article,
			Order:     contentv1.CommentOrder_COMMENT_ORDER_THREADED,
			PageSize:  1,
			PageToken: token,
		}))
		pages = append(pages, names(page.Comments))
		if token = page.NextPageToken; token == "" {
			return pages, page
		}
	}
}

func (c *client) listComments(ctx context.Context) {
	question, reply, remark := c.question.Name, c.reply.Name, c.remark.Name
	pages, last := c.listPages(ctx, "")
	c.check("ListComments goes through the threads from page to page",
		pages, [][]string{{question}, {reply}, {remark}})
	c.check("ListComments counts the comments, each once", last.CommentCount, int64(3))

	page := must(c.content.GetArticlePage(ctx, &contentv1.GetArticlePageRequest{
		Name:            c.article,
		CommentOrder:    contentv1.CommentOrder_COMMENT_ORDER_THREADED,
		CommentPageSize: 1,
		MinRevision:     c.reply.ArticleRevision,
	}))
	c.check("GetArticlePage has the article", page.Article.CommentCount, int64(3))
	c.check("GetArticlePage has its first comment", names(page.Comments), []string{question})
	pages, _ = c.listPages(ctx, page.NextCommentPageToken)
	c.check("GetArticlePage's token gets the others from ListComments", pages, [][]string{{reply}, {remark}})
}

func (c *client) getQuestion(ctx context.Context, minRevision int64) (*contentv1.GetCommentResponse, error) {
	return c.content.GetComment(ctx, &contentv1.GetCommentRequest{Name: c.question.Name, MinRevision: minRevision})
}

func (c *client) updateQuestion(ctx context.Context, body string) (*contentv1.UpdateCommentResponse, error) {
	return c.content.UpdateComment(ctx, &contentv1.UpdateCommentRequest{
		Comment:    &contentv1.Comment{Name: c.question.Name, Body: body, Etag: c.question.Etag},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"body"}},
	})
}

func (c *client) deleteQuestion(ctx context.Context, etag string) (*contentv1.DeleteCommentResponse, error) {
	return c.content.DeleteComment(ctx, &contentv1.DeleteCommentRequest{Name: c.question.Name, Etag: etag})
}

func (c *client) changeWhileWatching(ctx context.Context) {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	watch := must(c.content.WatchComments(watching, &contentv1.WatchCommentsRequest{
		Parent:        c.article,
		AfterRevision: 0,
	}))
	latest := map[string]*contentv1.Comment{} // The latest state of each comment, by name.
	watchUntil := func(revision int64) {
		for {
			message := must(watch.Recv())
			for _, comment := range message.Comments {
				latest[comment.Name] = comment
			}
			if message.ArticleRevision >= revision {
				return
			}
		}
	}

	watchUntil(c.reply.ArticleRevision)
	c.check("WatchComments begins with the comments there are",
		slices.Sorted(maps.Keys(latest)),
		slices.Sorted(slices.Values(names([]*contentv1.Comment{c.question, c.remark, c.reply}))))

	updated := must(c.updateQuestion(ctx, "Is it really so?")).Comment
	c.check("UpdateComment changes the text", updated.Body, "Is it really so?")
	_, err := c.updateQuestion(ctx, "Perhaps not.")
	c.check("UpdateComment with a stale etag is ABORTED",
		refusalOf(err), refusal{code: codes.Aborted, reason: "ETAG_MISMATCH"})

	read := must(c.getQuestion(ctx, updated.ArticleRevision)).Comment
	c.check("GetComment with min_revision sees the change", read.Etag, updated.Etag)
	_, err = c.getQuestion(ctx, updated.ArticleRevision+1000)
	c.check("GetComment refuses a min_revision that is not reached",
		refusalOf(err), refusal{code: codes.FailedPrecondition, reason: "REVISION_NOT_REACHED"})
	watchUntil(updated.ArticleRevision)
	c.check("WatchComments tells of the change", latest[c.question.Name].Body, "Is it really so?")

	_, err = c.deleteQuestion(ctx, c.question.Etag)
	c.check("DeleteComment with a stale etag is ABORTED",
		refusalOf(err), refusal{code: codes.Aborted, reason: "ETAG_MISMATCH"})
	revision := must(c.deleteQuestion(ctx, updated.Etag)).ArticleRevision
	left := must(c.getQuestion(ctx, revision)).Comment
	c.check("DeleteComment leaves a placeholder above the reply",
		[]any{left.State, left.ReplyCount, left.Body, left.Author == nil},
		[]any{contentv1.CommentState_COMMENT_STATE_DELETED, int32(1), "", true})
	watchUntil(revision)
	c.check("WatchComments tells of the deletion",
		latest[c.question.Name].State, contentv1.CommentState_COMMENT_STATE_DELETED)

	stop()
	_, err = watch.Recv()
	c.check("WatchComments ends when it is cancelled", status.Code(err), codes.Canceled)
}

func (c *client) forgetFields(ctx context.Context) {
	_, err := c.content.CreateComment(ctx, &contentv1.CreateCommentRequest{
		Parent:  c.article,
		Comment: &contentv1.Comment{},
	})
	c.check("a request that lacks fields is INVALID_ARGUMENT, and each is named", refusalOf(err), refusal{
		code:   codes.InvalidArgument,
		reason: "INVALID_REQUEST",
		fields: []string{"comment.author.id", "comment.author.display_name", "comment.body"},
	})
}

func (c *client) retract(ctx context.Context) {
	must(c.admin.RetractArticle(ctx, &contentv1.RetractArticleRequest{Name: c.article}))
	_, err := c.content.GetArticle(ctx, &contentv1.GetArticleRequest{Name: c.article})
	c.check("a retracted article is NOT_FOUND",
		refusalOf(err), refusal{code: codes.NotFound, reason: "ARTICLE_NOT_FOUND"})
}

func main() {
	log.SetFlags(0)
	load := len(os.Args) == 4 && os.Args[3] == "load"
	if len(os.Args) != 3 && !load {
		log.Fatal("Usage: client TARGET SERVICE-CONFIG [load]")
	}
	connection := connect(os.Args[1], string(must(os.ReadFile(os.Args[2]))))
	defer connection.Close()
	c := newClient(connection)
	if load {
		fmt.Println(c.tag, c.putUnderLoad(context.Background()))
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	c.run(ctx)
	fmt.Println(c.checks, "checks passed")
}
