package main

import (
	"context"
	"crypto/sha256"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	contentv1 "example.com/peer/gen/content/v1"
)

const (
	// $1 name. Whoever writes to an article holds this lock until it has committed.
	lockArticle = `
		SELECT s.article_id, s.name, s.revision, s.comment_policy
		FROM article_state s
		WHERE s.article_id = (SELECT n.article_id FROM article_name n WHERE n.name = $1)
		  AND NOT s.retracted AND s.publish_time <= now()
		FOR NO KEY UPDATE`

	// $1 article key, $2 comment id, $3 thread key, $4 state, $5 author id, $6 display name, $7 body,
	// $8 time, $9 revision, $10 whether readers see it.
	insertComment = `
		INSERT INTO comment (article_id, comment_id, thread_key, depth, state, author_id,
		                     author_display_name, body, reply_count, edit_count, create_time,
		                     update_time, revision, text_revision, shown, ever_shown)
		VALUES ($1, $2, $3, 0, $4, $5, $6, $7, 0, 0, $8, $8, $9, $9, $10, $10)`

	// $1 article key, $2 revision, $3 whether readers see one comment more.
	countComment = `
		UPDATE article_state SET revision = $2, comment_count = comment_count + $3::boolean::integer
		WHERE article_id = $1`

	// $1 article key, $2 request id, $3 fingerprint, $4 comment id, $5 revision, $6 time.
	insertRequest = `
		INSERT INTO request (article_id, request_id, fingerprint, comment_id, revision, outcome,
		                     create_time)
		VALUES ($1, $2, $3, $4, $5, 0, $6)`
)

func (s *service) CreateComment(ctx context.Context, request *contentv1.CreateCommentRequest) (*contentv1.CreateCommentResponse, error) {
	if request.ValidateOnly || request.GetComment().GetReplyTo() != "" {
		return nil, status.Error(codes.Unimplemented, "no replies, and no validate_only")
	}
	article, err := articleID(request.Parent)
	if err != nil {
		return nil, err
	}
	author := request.GetComment().GetAuthor()
	if !isText(author.GetId(), 128, "") || !isText(author.GetDisplayName(), 100, "") ||
		!isText(request.GetComment().GetBody(), 10_000, "\t\n\r") {
		return nil, status.Error(codes.InvalidArgument, "author or body is missing or not valid")
	}
	var comment *contentv1.Comment
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		comment, err = addComment(ctx, tx, article, request)
		return err
	})
	if err != nil {
		return nil, toStatus(err)
	}
	return &contentv1.CreateCommentResponse{Comment: comment}, nil
}

// isText reports whether it is not blank, not too long and has no other control characters.
func isText(text string, maxCharacters int, controls string) bool {
	forbidden := func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune(controls, r) }
	return strings.TrimSpace(text) != "" && utf8.RuneCountInString(text) <= maxCharacters &&
		!strings.ContainsFunc(text, forbidden)
}

func addComment(ctx context.Context, tx pgx.Tx, article string, request *contentv1.CreateCommentRequest) (*contentv1.Comment, error) {
	var (
		key, name string
		revision  int64
		policy    contentv1.CommentPolicy
	)
	err := tx.QueryRow(ctx, lockArticle, article).Scan(&key, &name, &revision, (*int32)(&policy))
	if err != nil {
		return nil, err
	}
	state := contentv1.CommentState_COMMENT_STATE_VISIBLE
	switch policy {
	case contentv1.CommentPolicy_COMMENT_POLICY_CLOSED:
		return nil, status.Error(codes.FailedPrecondition, "the article's comments are closed")
	case contentv1.CommentPolicy_COMMENT_POLICY_PREMODERATED:
		state = contentv1.CommentState_COMMENT_STATE_PENDING
	}
	visible := state == contentv1.CommentState_COMMENT_STATE_VISIBLE
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	now := time.Now().Truncate(time.Microsecond)
	revision++
	author, body := request.Comment.Author, request.Comment.Body

	// All at once: the article is locked meanwhile.
	var batch pgx.Batch
	batch.Queue(insertComment, key, id, id[:], int32(state), author.Id, author.DisplayName, body, now, revision, visible)
	batch.Queue(countComment, key, revision, visible)
	if request.RequestId != "" {
		if err := queueRequest(&batch, key, id, now, revision, request); err != nil {
			return nil, err
		}
	}
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, err
	}
	return &contentv1.Comment{
		Name:            commentName(name, id),
		Author:          author,
		Body:            body,
		State:           state,
		CreateTime:      timestamppb.New(now),
		UpdateTime:      timestamppb.New(now),
		Revision:        revision,
		Etag:            strconv.FormatInt(revision, 10),
		ArticleRevision: revision,
	}, nil
}

// queueRequest notes that the request was done. If it was before, the key is there already.
func queueRequest(batch *pgx.Batch, article string, comment uuid.UUID, now time.Time, revision int64, request *contentv1.CreateCommentRequest) error {
	id, err := uuid.Parse(request.RequestId)
	if err != nil {
		return status.Error(codes.InvalidArgument, "request_id is not a UUID")
	}
	identity, err := proto.MarshalOptions{Deterministic: true}.Marshal(request.Comment)
	if err != nil {
		return err
	}
	fingerprint := sha256.Sum256(identity)
	batch.Queue(insertRequest, article, id, fingerprint[:], comment, revision, now)
	return nil
}
