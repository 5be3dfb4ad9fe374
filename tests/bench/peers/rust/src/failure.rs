use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;
use tonic::Status;

/// Why a call fails: a status, or what becomes one.
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
        // Of the keys that a call brings with it, only the request_id can be there already.
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
