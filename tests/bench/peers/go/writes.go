package main

import (
	"context"
	"crypto/sha256"
	"errors"
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
	// One statement, so that the article is locked as briefly as possible. $1 article's name,
	// $2 comment id, $3 author id, $4 display name, $5 body, $6 time, $7 request id or NULL, $8 its
	// fingerprint. The policies are 1 open, 2 premoderated, 3 closed; the state of a new comment is
	// 1 (visible) under the first and 2 (pending) under the second. Returns no row if the comment is
	// not allowed.
	insertComment = `
		WITH counted AS (
			UPDATE article_state
			SET revision = revision + 1, comment_count = comment_count + (comment_policy = 1)::integer
			WHERE article_key = (SELECT n.article_key FROM article_name n WHERE n.name = $1)
			  AND NOT retracted AND publish_time <= $6 AND comment_policy IN (1, 2)
			RETURNING bucket, article_key, name, revision, comment_policy
		), requested AS (
			INSERT INTO request (bucket, article_key, request_id, fingerprint, comment_id, revision,
			                     outcome)
			SELECT bucket, article_key, $7, $8, $2, revision, 0 FROM counted
			WHERE $7::uuid IS NOT NULL
		)
		INSERT INTO comment (bucket, article_key, comment_id, thread_key, depth, state, author_id,
		                     author_display_name, body, reply_count, edit_count, create_time,
		                     update_time, revision, text_revision, shown, ever_shown)
		SELECT bucket, article_key, $2, uuid_send($2), 0, comment_policy, $3, $4, $5, 0, 0, $6, $6,
		       revision, revision, comment_policy = 1, comment_policy = 1
		FROM counted
		RETURNING (SELECT name FROM counted), revision, state`

	// $1 article's name, $2 time.
	selectReadable = `
		SELECT FROM article_name n JOIN article_state s USING (article_key)
		WHERE n.name = $1 AND NOT s.retracted AND s.publish_time <= $2`
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
	requestID, fingerprint, err := identify(request)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	now := time.Now().Truncate(time.Microsecond)
	var (
		name     string
		revision int64
		state    contentv1.CommentState
		body     = request.Comment.Body
	)
	err = s.pool.QueryRow(ctx, insertComment, article, id, author.Id, author.DisplayName, body, now,
		requestID, fingerprint).Scan(&name, &revision, (*int32)(&state))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, s.whyNot(ctx, article, now)
	}
	if err != nil {
		return nil, toStatus(err)
	}
	return &contentv1.CreateCommentResponse{Comment: &contentv1.Comment{
		Name:            commentName(name, id),
		Author:          author,
		Body:            body,
		State:           state,
		CreateTime:      timestamppb.New(now),
		UpdateTime:      timestamppb.New(now),
		Revision:        revision,
		Etag:            strconv.FormatInt(revision, 10),
		ArticleRevision: revision,
	}}, nil
}

// whyNot returns the reason why an article takes no comments.
func (s *service) whyNot(ctx context.Context, article string, now time.Time) error {
	if err := s.pool.QueryRow(ctx, selectReadable, article, now).Scan(); err != nil {
		return toStatus(err)
	}
	return status.Error(codes.FailedPrecondition, "the article's comments are closed")
}

// isText reports whether a text is not blank, not too long, and has no control characters except
// those in controls.
func isText(text string, maxCharacters int, controls string) bool {
	forbidden := func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune(controls, r) }
	return strings.TrimSpace(text) != "" && utf8.RuneCountInString(text) <= maxCharacters &&
		!strings.ContainsFunc(text, forbidden)
}

// identify returns the request's id and a fingerprint of its content, or nothing if it has no id.
func identify(request *contentv1.CreateCommentRequest) (*uuid.UUID, []byte, error) {
	if request.RequestId == "" {
		return nil, nil, nil
	}
	id, err := uuid.Parse(request.RequestId)
	if err != nil {
		return nil, nil, status.Error(codes.InvalidArgument, "request_id is not a UUID")
	}
	identity, err := proto.MarshalOptions{Deterministic: true}.Marshal(request.Comment)
	if err != nil {
		return nil, nil, err
	}
	fingerprint := sha256.Sum256(identity)
	return &id, fingerprint[:], nil
}
