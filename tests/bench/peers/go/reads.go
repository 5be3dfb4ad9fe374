package main

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	contentv1 "example.com/peer/gen/content/v1"
)

const (
	articleColumns = `
		s.name, s.revision, s.comment_count, s.comment_policy, s.publish_time, a.update_time,
		a.text_revision, a.title, a.language_code, a.summary, a.source_uri, a.word_count,
		a.authors, a.tags`

	// $1 name.
	fromArticle = `
		FROM article_name n JOIN article_state s USING (article_key) JOIN article a USING (bucket, article_key)
		WHERE n.name = $1 AND NOT s.retracted AND s.publish_time <= now()`

	selectBasic = "SELECT" + articleColumns + fromArticle
	selectFull  = "SELECT" + articleColumns + ", a.body, a.sections" + fromArticle

	// $1 article's name, $2 id of the last comment on the previous page, $3 limit. For an article
	// without comments it returns one row, in which the columns of the page are NULL.
	selectComments = `
		SELECT s.name, s.revision, s.comment_count, page.*
		FROM article_name n JOIN article_state s USING (article_key)
		LEFT JOIN LATERAL (
			SELECT c.comment_id, c.parent_id, c.depth, c.state, c.author_id, c.author_display_name,
			       c.body, c.reply_count, c.edit_count, c.create_time, c.update_time, c.revision,
			       c.text_revision
			FROM comment c
			WHERE c.bucket = s.bucket AND c.article_key = s.article_key AND c.shown
			  AND c.comment_id < $2
			ORDER BY c.comment_id DESC LIMIT $3
		) page ON true
		WHERE n.name = $1 AND NOT s.retracted AND s.publish_time <= now()
		ORDER BY page.comment_id DESC`
)

const (
	defaultPageSize = 25
	maxPageSize     = 200
)

func (s *service) GetArticle(ctx context.Context, request *contentv1.GetArticleRequest) (*contentv1.GetArticleResponse, error) {
	id, err := articleID(request.Name)
	if err != nil {
		return nil, err
	}
	var (
		article                 contentv1.Article
		name                    string
		publishTime, updateTime time.Time
		textRevision            int64
	)
	query := selectBasic
	columns := []any{
		&name, &article.Revision, &article.CommentCount, (*int32)(&article.CommentPolicy), &publishTime,
		&updateTime, &textRevision, &article.Title, &article.LanguageCode, &article.Summary,
		&article.SourceUri, &article.WordCount, &article.Authors, &article.Tags,
	}
	if request.View != contentv1.ArticleView_ARTICLE_VIEW_BASIC {
		query = selectFull
		columns = append(columns, &article.Body, &article.Sections)
	}
	if err := s.pool.QueryRow(ctx, query, id).Scan(columns...); err != nil {
		return nil, toStatus(err)
	}
	if err := checkRevision(article.Revision, request.MinRevision); err != nil {
		return nil, err
	}
	article.Name = "articles/" + name
	article.PublishTime = timestamppb.New(publishTime)
	article.UpdateTime = timestamppb.New(updateTime)
	article.Etag = strconv.FormatInt(textRevision, 10)
	return &contentv1.GetArticleResponse{Article: &article}, nil
}

// ListComments lists the newest first. The page token is the id of the last comment.
func (s *service) ListComments(ctx context.Context, request *contentv1.ListCommentsRequest) (*contentv1.ListCommentsResponse, error) {
	if request.Order > contentv1.CommentOrder_COMMENT_ORDER_NEWEST || request.ReplyTo != "" {
		return nil, status.Error(codes.Unimplemented, "only all comments, the newest first")
	}
	id, err := articleID(request.Parent)
	if err != nil {
		return nil, err
	}
	before := uuid.Max
	if request.PageToken != "" {
		if before, err = uuid.Parse(request.PageToken); err != nil {
			return nil, status.Error(codes.InvalidArgument, "page_token is not valid")
		}
	}
	size := int(request.PageSize)
	if size < 0 {
		return nil, status.Error(codes.InvalidArgument, "page_size is negative")
	}
	if size == 0 {
		size = defaultPageSize
	}
	size = min(size, maxPageSize)

	rows, err := s.pool.Query(ctx, selectComments, id, before, size+1)
	if err != nil {
		return nil, toStatus(err)
	}
	response, err := readPage(rows, size)
	if err != nil {
		return nil, toStatus(err)
	}
	return response, checkRevision(response.ArticleRevision, request.MinRevision)
}

// readPage reads a page from the rows of selectComments. One row more than `size` means that there
// is a next page.
func readPage(rows pgx.Rows, size int) (*contentv1.ListCommentsResponse, error) {
	defer rows.Close()
	var (
		response contentv1.ListCommentsResponse
		article  string
		last     uuid.UUID
	)
	for rows.Next() {
		if rows.RawValues()[3] == nil {
			values, err := rows.Values()
			if err != nil {
				return nil, err
			}
			response.ArticleRevision, response.CommentCount = values[1].(int64), values[2].(int64)
			return &response, nil
		}
		if len(response.Comments) == size {
			response.NextPageToken = last.String()
			break
		}
		var (
			comment                contentv1.Comment
			author                 contentv1.CommentAuthor
			parent                 *uuid.UUID
			createTime, updateTime time.Time
			textRevision           int64
		)
		err := rows.Scan(&article, &response.ArticleRevision, &response.CommentCount,
			&last, &parent, &comment.Depth, (*int32)(&comment.State), &author.Id, &author.DisplayName,
			&comment.Body, &comment.ReplyCount, &comment.EditCount, &createTime, &updateTime,
			&comment.Revision, &textRevision)
		if err != nil {
			return nil, err
		}
		comment.Name = commentName(article, last)
		if parent != nil {
			comment.ReplyTo = commentName(article, *parent)
		}
		if comment.State == contentv1.CommentState_COMMENT_STATE_VISIBLE {
			comment.Author = &author
		} else {
			comment.Body = ""
		}
		comment.CreateTime = timestamppb.New(createTime)
		comment.UpdateTime = timestamppb.New(updateTime)
		comment.Etag = strconv.FormatInt(textRevision, 10)
		response.Comments = append(response.Comments, &comment)
	}
	if article == "" && rows.Err() == nil {
		return nil, pgx.ErrNoRows
	}
	return &response, rows.Err()
}

func commentName(article string, id uuid.UUID) string {
	return "articles/" + article + "/comments/" + id.String()
}
