//! The part of the content service that the benchmark measures, as one would write it in Rust: with
//! tonic and tokio-postgres, one statement per call. It lacks what the benchmark does not call:
//! other orders of comments, replies, and the answer to a repeated request_id.

mod failure;
mod names;
mod reads;
mod writes;

use clap::Parser;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_postgres::NoTls;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, async_trait};

use content_v1::content_service_server::{ContentService, ContentServiceServer};
use content_v1::{
    CreateCommentRequest, CreateCommentResponse, GetArticleRequest, GetArticleResponse,
    ListCommentsRequest, ListCommentsResponse,
};

/// Generated from the service's contract.
mod content_v1 {
    #![allow(clippy::all)]
    tonic::include_proto!("content.v1");
}

/// Implements the RPCs that the benchmark calls; the others answer UNIMPLEMENTED.
struct Service {
    pool: Pool,
}

#[async_trait]
impl ContentService for Service {
    async fn get_article(
        &self,
        request: Request<GetArticleRequest>,
    ) -> Result<Response<GetArticleResponse>, Status> {
        Ok(Response::new(reads::get_article(&self.pool, request.into_inner()).await?))
    }

    async fn list_comments(
        &self,
        request: Request<ListCommentsRequest>,
    ) -> Result<Response<ListCommentsResponse>, Status> {
        Ok(Response::new(reads::list_comments(&self.pool, request.into_inner()).await?))
    }

    async fn create_comment(
        &self,
        request: Request<CreateCommentRequest>,
    ) -> Result<Response<CreateCommentResponse>, Status> {
        Ok(Response::new(writes::create_comment(&self.pool, request.into_inner()).await?))
    }
}

#[derive(Parser)]
struct Options {
    /// HOST:PORT to serve on
    #[arg(long, default_value = "127.0.0.1:50051")]
    listen: String,
    /// URL of a database that contentd has migrated
    #[arg(long)]
    database_url: String,
    /// Number of connections to the database
    #[arg(long, default_value_t = 8)]
    connections: usize,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let mut database: tokio_postgres::Config = options.database_url.parse()?;
    // By default PostgreSQL plans a page of comments again for each call, which doubles its cost.
    database.options("-c plan_cache_mode=force_generic_plan");
    let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(database, NoTls, config);
    let pool = Pool::builder(manager).max_size(options.connections).build()?;
    drop(pool.get().await?); // ends here if there is no such database

    let listener = TcpListener::bind(&options.listen).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    println!("serving on {}", listener.local_addr()?);
    Server::builder()
        .add_service(ContentServiceServer::new(Service { pool }))
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            async move {
                terminate.recv().await;
            },
        )
        .await?;
    Ok(())
}
