use std::time::SystemTime;

use deadpool_postgres::Pool;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use tonic::Status;
use uuid::Uuid;

use crate::content_v1::{
    Article, ArticleView, Comment, CommentAuthor, CommentOrder, CommentState, GetArticleRequest,
    GetArticleResponse, ListCommentsRequest, ListCommentsResponse,
};
use crate::failure::Failure;
use crate::names::{article_id, article_name, comment_name, no_such_article};

macro_rules! select_article {
    ($more_columns:literal) => {
        concat!(
            "SELECT s.name, s.revision, s.comment_count, s.comment_policy, s.publish_time, ",
            "a.update_time, a.text_revision, a.title, a.language_code, a.summary, a.source_uri, ",
            "a.word_count, a.authors, a.tags",
            $more_columns,
            " FROM article_name n JOIN article_state s USING (article_key) ",
            "JOIN article a USING (bucket, article_key) ",
            "WHERE n.name = $1 AND NOT s.retracted AND s.publish_time <= now()"
        )
    };
}

/// $1 name.
const SELECT_BASIC: &str = select_article!("");
const SELECT_FULL: &str = select_article!(", a.body, a.sections");

/// $1 article's name, $2 id of the last comment on the previous page, $3 limit. For an article
/// without comments it returns one row, in which the columns of the page are NULL.
const SELECT_COMMENTS: &str = "
    SELECT s.name, s.revision AS article_revision, s.comment_count, page.*
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
    ORDER BY page.comment_id DESC";

const DEFAULT_PAGE_SIZE: usize = 25;
const MAX_PAGE_SIZE: usize = 200;

pub async fn get_article(
    pool: &Pool,
    request: GetArticleRequest,
) -> Result<GetArticleResponse, Failure> {
    let id = article_id(&request.name)?;
    let full = request.view() != ArticleView::Basic;
    let connection = pool.get().await?;
    let statement =
        connection.prepare_cached(if full { SELECT_FULL } else { SELECT_BASIC }).await?;
    let row = connection.query_opt(&statement, &[&id]).await?.ok_or_else(no_such_article)?;
    drop(connection);
    let article = read_article(&row, full)?;
    check_revision(article.revision, request.min_revision)?;
    Ok(GetArticleResponse { article: Some(article) })
}

fn read_article(row: &Row, full: bool) -> Result<Article, tokio_postgres::Error> {
    let mut article = Article {
        name: article_name(row.try_get("name")?),
        title: row.try_get("title")?,
        authors: row.try_get::<_, Json<_>>("authors")?.0,
        publish_time: Some(row.try_get::<_, SystemTime>("publish_time")?.into()),
        update_time: Some(row.try_get::<_, SystemTime>("update_time")?.into()),
        language_code: row.try_get("language_code")?,
        summary: row.try_get("summary")?,
        tags: row.try_get::<_, Json<_>>("tags")?.0,
        source_uri: row.try_get("source_uri")?,
        word_count: row.try_get("word_count")?,
        comment_policy: row.try_get::<_, i16>("comment_policy")?.into(),
        comment_count: row.try_get("comment_count")?,
        revision: row.try_get("revision")?,
        etag: row.try_get::<_, i64>("text_revision")?.to_string(),
        ..Article::default()
    };
    if full {
        article.body = row.try_get("body")?;
        article.sections = row.try_get::<_, Json<_>>("sections")?.0;
    }
    Ok(article)
}

/// Fails if a read saw an older revision than the request's `min_revision`.
fn check_revision(revision: i64, min_revision: i64) -> Result<(), Status> {
    if revision < min_revision {
        let message = format!("the article is at revision {revision}");
        return Err(Status::failed_precondition(message));
    }
    Ok(())
}

/// Lists the newest first. The page token is the id of the last comment.
pub async fn list_comments(
    pool: &Pool,
    request: ListCommentsRequest,
) -> Result<ListCommentsResponse, Failure> {
    if !matches!(request.order(), CommentOrder::Unspecified | CommentOrder::Newest)
        || !request.reply_to.is_empty()
    {
        return Err(Status::unimplemented("only all comments, the newest first").into());
    }
    let id = article_id(&request.parent)?;
    let size = page_size(request.page_size)?;
    let before = page_start(&request.page_token)?;
    let connection = pool.get().await?;
    let statement = connection.prepare_cached(SELECT_COMMENTS).await?;
    // One row more than the page holds means that there is a next page.
    let rows = connection.query(&statement, &[&id, &before, &(size as i64 + 1)]).await?;
    drop(connection);

    let first = rows.first().ok_or_else(no_such_article)?;
    let mut response = ListCommentsResponse {
        article_revision: first.try_get("article_revision")?,
        comment_count: first.try_get("comment_count")?,
        ..ListCommentsResponse::default()
    };
    check_revision(response.article_revision, request.min_revision)?;
    if first.try_get::<_, Option<Uuid>>("comment_id")?.is_some() {
        let page = rows.iter().take(size).map(read_comment);
        response.comments = page.collect::<Result<_, _>>()?;
    }
    if rows.len() > size {
        response.next_page_token = rows[size - 1].try_get::<_, Uuid>("comment_id")?.to_string();
    }
    Ok(response)
}

fn page_size(requested: i32) -> Result<usize, Status> {
    match usize::try_from(requested) {
        Ok(0) => Ok(DEFAULT_PAGE_SIZE),
        Ok(size) => Ok(size.min(MAX_PAGE_SIZE)),
        Err(_) => Err(Status::invalid_argument("page_size is negative")),
    }
}

fn page_start(token: &str) -> Result<Uuid, Status> {
    if token.is_empty() {
        return Ok(Uuid::max());
    }
    token.parse().map_err(|_| Status::invalid_argument("page_token is not valid"))
}

fn read_comment(row: &Row) -> Result<Comment, tokio_postgres::Error> {
    let article: &str = row.try_get("name")?;
    let parent: Option<Uuid> = row.try_get("parent_id")?;
    let mut comment = Comment {
        name: comment_name(article, row.try_get("comment_id")?),
        reply_to: parent.map_or_else(String::new, |id| comment_name(article, id)),
        depth: row.try_get::<_, i16>("depth")?.into(),
        reply_count: row.try_get("reply_count")?,
        state: row.try_get::<_, i16>("state")?.into(),
        create_time: Some(row.try_get::<_, SystemTime>("create_time")?.into()),
        update_time: Some(row.try_get::<_, SystemTime>("update_time")?.into()),
        edit_count: row.try_get("edit_count")?,
        revision: row.try_get("revision")?,
        etag: row.try_get::<_, i64>("text_revision")?.to_string(),
        ..Comment::default()
    };
    if comment.state() == CommentState::Visible {
        comment.author = Some(CommentAuthor {
            id: row.try_get("author_id")?,
            display_name: row.try_get("author_display_name")?,
        });
        comment.body = row.try_get("body")?;
    }
    Ok(comment)
}
