use std::time::{Duration, SystemTime, UNIX_EPOCH};

use deadpool_postgres::{Client, Pool};
use prost::Message;
use sha2::{Digest, Sha256};
use tonic::Status;
use uuid::Uuid;

use crate::content_v1::{Comment, CreateCommentRequest, CreateCommentResponse};
use crate::failure::Failure;
use crate::names::{article_id, comment_name, no_such_article};

/// One statement, so that the article is locked as briefly as possible. $1 article's name,
/// $2 comment id, $3 author id, $4 display name, $5 body, $6 time, $7 request id or NULL, $8 its
/// fingerprint. The policies are 1 open, 2 premoderated, 3 closed; the state of a new comment is
/// 1 (visible) under the first and 2 (pending) under the second. Returns no row if the comment is
/// not allowed.
const INSERT_COMMENT: &str = "
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
    RETURNING (SELECT name FROM counted), revision, state";

/// $1 article's name, $2 time.
const SELECT_READABLE: &str = "
    SELECT FROM article_name n JOIN article_state s USING (article_key)
    WHERE n.name = $1 AND NOT s.retracted AND s.publish_time <= $2";

pub async fn create_comment(
    pool: &Pool,
    request: CreateCommentRequest,
) -> Result<CreateCommentResponse, Failure> {
    if request.validate_only || request.comment.as_ref().is_some_and(|c| !c.reply_to.is_empty()) {
        return Err(Status::unimplemented("no replies, and no validate_only").into());
    }
    let article = article_id(&request.parent)?;
    let draft = request
        .comment
        .filter(is_valid)
        .ok_or_else(|| Status::invalid_argument("author or body is missing or not valid"))?;
    let request_id = parse_request_id(&request.request_id)?;
    let fingerprint = request_id.map(|_| Sha256::digest(draft.encode_to_vec()).to_vec());
    let author = draft.author.as_ref().expect("a valid comment has an author");
    let (id, now) = (Uuid::now_v7(), now());
    let connection = pool.get().await?;
    let statement = connection.prepare_cached(INSERT_COMMENT).await?;
    let row = connection
        .query_opt(
            &statement,
            &[
                &article,
                &id,
                &author.id,
                &author.display_name,
                &draft.body,
                &now,
                &request_id,
                &fingerprint,
            ],
        )
        .await?;
    let Some(row) = row else { return Err(why_not(&connection, article, now).await) };
    drop(connection);
    let revision = row.try_get("revision")?;
    let comment = Comment {
        name: comment_name(row.try_get("name")?, id),
        author: draft.author,
        body: draft.body,
        state: row.try_get::<_, i16>("state")?.into(),
        create_time: Some(now.into()),
        update_time: Some(now.into()),
        revision,
        etag: revision.to_string(),
        article_revision: revision,
        ..Comment::default()
    };
    Ok(CreateCommentResponse { comment: Some(comment) })
}

/// The reason why an article takes no comments.
async fn why_not(connection: &Client, article: &str, now: SystemTime) -> Failure {
    match connection.query_opt(SELECT_READABLE, &[&article, &now]).await {
        Err(error) => error.into(),
        Ok(None) => no_such_article().into(),
        Ok(Some(_)) => Status::failed_precondition("the article's comments are closed").into(),
    }
}

fn is_valid(comment: &Comment) -> bool {
    comment.author.as_ref().is_some_and(|author| {
        is_text(&author.id, 128, "") && is_text(&author.display_name, 100, "")
    }) && is_text(&comment.body, 10_000, "\t\n\r")
}

/// Whether a text is not blank, not too long, and has no control characters except `controls`.
fn is_text(text: &str, max_characters: usize, controls: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= max_characters
        && text.chars().all(|c| !c.is_control() || controls.contains(c))
}

fn parse_request_id(text: &str) -> Result<Option<Uuid>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Status::invalid_argument("request_id is not a UUID"))
}

/// The time, cut to PostgreSQL's resolution of a microsecond.
fn now() -> SystemTime {
    let micros = UNIX_EPOCH.elapsed().expect("a clock after 1970").as_micros();
    UNIX_EPOCH + Duration::from_micros(micros as u64)
}
