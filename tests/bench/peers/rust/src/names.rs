use tonic::Status;
use uuid::Uuid;

/// The id in `articles/{id}`.
pub fn article_id(name: &str) -> Result<&str, Status> {
    let is_id = |id: &&str| {
        (1..=63).contains(&id.len())
            && id.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !id.starts_with('-')
            && !id.ends_with('-')
    };
    name.strip_prefix("articles/")
        .filter(is_id)
        .ok_or_else(|| Status::invalid_argument(format!("{name:?} is not the name of an article")))
}

pub fn no_such_article() -> Status {
    Status::not_found("there is no such article")
}

pub fn article_name(id: &str) -> String {
    format!("articles/{id}")
}

pub fn comment_name(article_id: &str, id: Uuid) -> String {
    format!("articles/{article_id}/comments/{id}")
}
