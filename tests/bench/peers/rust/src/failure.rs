use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;
use tonic::Status;

/// The reason why a call fails, as a status.
pub struct Failure(Status);

impl From<Failure> for Status {
    fn from(failure: Failure) -> Status {
        failure.0
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Failure {
        Failure(status)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Failure {
        // The only key of a call that can be a duplicate is the request_id.
        if error.code() == Some(&SqlState::UNIQUE_VIOLATION) {
            return Failure(Status::already_exists("request_id was used before"));
        }
        eprintln!("{error:?}");
        Failure(Status::internal("internal error"))
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Failure {
        eprintln!("{error:?}");
        Failure(Status::unavailable("the database cannot be reached"))
    }
}
