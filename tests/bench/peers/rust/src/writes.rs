use std::time::{Duration, SystemTime, UNIX_EPOCH};

use deadpool_postgres::{Pool, Transaction};
use prost::Message;
use sha2::{Digest, Sha256};
use tonic::Status;
use uuid::Uuid;

use crate::content_v1::{
    Comment, CommentPolicy, CommentState, CreateCommentRequest, CreateCommentResponse,
};
use crate::failure::Failure;
use crate::names::{article_id, comment_name, no_such_article};

/// $1 name. Whoever writes to an article holds this lock until it has committed.
const LOCK_ARTICLE: &str = "
    SELECT s.article_id, s.name, s.revision, s.comment_policy
    FROM article_state s
    WHERE s.article_id = (SELECT n.article_id FROM article_name n WHERE n.name = $1)
      AND NOT s.retracted AND s.publish_time <= now()
    FOR NO KEY UPDATE";

/// $1 article key, $2 comment id, $3 thread key, $4 state, $5 author id, $6 display name, $7 body,
/// $8 time, $9 revision, $10 whether readers see it.
const INSERT_COMMENT: &str = "
    INSERT INTO comment (article_id, comment_id, thread_key, depth, state, author_id,
                         author_display_name, body, reply_count, edit_count, create_time,
                         update_time, revision, text_revision, shown, ever_shown)
    VALUES ($1, $2, $3, 0, $4, $5, $6, $7, 0, 0, $8, $8, $9, $9, $10, $10)";

/// $1 article key, $2 revision, $3 whether readers see one comment more.
const COUNT_COMMENT: &str = "
    UPDATE article_state SET revision = $2, comment_count = comment_count + $3::boolean::integer
    WHERE article_id = $1";

/// $1 article key, $2 request id, $3 fingerprint, $4 comment id, $5 revision, $6 time.
const INSERT_REQUEST: &str = "
    INSERT INTO request (article_id, request_id, fingerprint, comment_id, revision, outcome,
                         create_time)
    VALUES ($1, $2, $3, $4, $5, 0, $6)";

/// As the column comment_policy has them.
const OPEN: i16 = CommentPolicy::Open as i16;
const PREMODERATED: i16 = CommentPolicy::Premoderated as i16;

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
    let mut connection = pool.get().await?;
    let transaction = connection.transaction().await?;
    let comment = add_comment(&transaction, article, draft, request_id).await?;
    transaction.commit().await?;
    Ok(CreateCommentResponse { comment: Some(comment) })
}

fn is_valid(comment: &Comment) -> bool {
    comment.author.as_ref().is_some_and(|author| {
        is_text(&author.id, 128, "") && is_text(&author.display_name, 100, "")
    }) && is_text(&comment.body, 10_000, "\t\n\r")
}

/// Whether it is not blank, not too long and has no other control characters.
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

/// The time to the microsecond, as PostgreSQL keeps it.
fn now() -> SystemTime {
    let micros = UNIX_EPOCH.elapsed().expect("a clock after 1970").as_micros();
    UNIX_EPOCH + Duration::from_micros(micros as u64)
}

async fn add_comment(
    transaction: &Transaction<'_>,
    article: &str,
    draft: Comment,
    request_id: Option<Uuid>,
) -> Result<Comment, Failure> {
    let lock = transaction.prepare_cached(LOCK_ARTICLE).await?;
    let locked = transaction.query_opt(&lock, &[&article]).await?.ok_or_else(no_such_article)?;
    let revision = locked.try_get::<_, i64>("revision")? + 1;
    let state = match locked.try_get::<_, i16>("comment_policy")? {
        OPEN => CommentState::Visible,
        PREMODERATED => CommentState::Pending,
        _ => return Err(Status::failed_precondition("the article's comments are closed").into()),
    };
    let addition = Addition {
        article: locked.try_get("article_id")?,
        id: Uuid::now_v7(),
        revision,
        state,
        time: now(),
    };
    // All at once: the article is locked meanwhile.
    tokio::try_join!(
        addition.insert_comment(transaction, &draft),
        addition.count(transaction),
        addition.insert_request(transaction, request_id, &draft),
    )?;
    Ok(Comment {
        name: comment_name(locked.try_get("name")?, addition.id),
        author: draft.author,
        body: draft.body,
        state: state.into(),
        create_time: Some(addition.time.into()),
        update_time: Some(addition.time.into()),
        revision,
        etag: revision.to_string(),
        article_revision: revision,
        ..Comment::default()
    })
}

/// What the service itself says of a new comment.
struct Addition<'a> {
    article: &'a str,
    id: Uuid,
    revision: i64,
    state: CommentState,
    time: SystemTime,
}

impl Addition<'_> {
    fn is_visible(&self) -> bool {
        self.state == CommentState::Visible
    }

    async fn insert_comment(
        &self,
        transaction: &Transaction<'_>,
        draft: &Comment,
    ) -> Result<(), Failure> {
        let statement = transaction.prepare_cached(INSERT_COMMENT).await?;
        let author = draft.author.clone().unwrap_or_default();
        transaction
            .execute(
                &statement,
                &[
                    &self.article,
                    &self.id,
                    &self.id.as_bytes().as_slice(),
                    &(self.state as i16),
                    &author.id,
                    &author.display_name,
                    &draft.body,
                    &self.time,
                    &self.revision,
                    &self.is_visible(),
                ],
            )
            .await?;
        Ok(())
    }

    async fn count(&self, transaction: &Transaction<'_>) -> Result<(), Failure> {
        let statement = transaction.prepare_cached(COUNT_COMMENT).await?;
        transaction
            .execute(&statement, &[&self.article, &self.revision, &self.is_visible()])
            .await?;
        Ok(())
    }

    /// Notes that the request was done. If it was before, the key is there already.
    async fn insert_request(
        &self,
        transaction: &Transaction<'_>,
        request_id: Option<Uuid>,
        draft: &Comment,
    ) -> Result<(), Failure> {
        let Some(request_id) = request_id else { return Ok(()) };
        let statement = transaction.prepare_cached(INSERT_REQUEST).await?;
        let fingerprint = Sha256::digest(draft.encode_to_vec());
        transaction
            .execute(
                &statement,
                &[
                    &self.article,
                    &request_id,
                    &fingerprint.as_slice(),
                    &self.id,
                    &self.revision,
                    &self.time,
                ],
            )
            .await?;
        Ok(())
    }
}
