// The part of the content service that the benchmark measures, as one would write it in Go: with
// grpc-go and pgx, one statement per call. It lacks what the benchmark does not call: other orders
// of comments, replies, and the answer to a repeated request_id.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os/signal"
	"regexp"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	contentv1 "example.com/peer/gen/content/v1"
)

// service implements the RPCs that the benchmark calls; the others answer UNIMPLEMENTED.
type service struct {
	contentv1.UnimplementedContentServiceServer
	pool *pgxpool.Pool
}

var articleName = regexp.MustCompile(`^articles/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// uniqueViolation is PostgreSQL's code for a duplicate key. Here only a request_id can be one.
const uniqueViolation = "23505"

// articleID returns the id in `articles/{id}`.
func articleID(name string) (string, error) {
	if !articleName.MatchString(name) {
		return "", status.Errorf(codes.InvalidArgument, "%q is not the name of an article", name)
	}
	return strings.TrimPrefix(name, "articles/"), nil
}

// checkRevision fails if a read saw an older revision than the request's `min_revision`.
func checkRevision(revision, minRevision int64) error {
	if revision < minRevision {
		return status.Errorf(codes.FailedPrecondition, "the article is at revision %d", revision)
	}
	return nil
}

// toStatus returns an error of the database as a status without internal details.
func toStatus(err error) error {
	if _, ok := status.FromError(err); ok {
		return err
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return status.Error(codes.NotFound, "there is no such article")
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == uniqueViolation {
		return status.Error(codes.AlreadyExists, "request_id was used before")
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return status.FromContextError(err).Err()
	}
	log.Print(err)
	return status.Error(codes.Internal, "internal error")
}

func serve(ctx context.Context, address, databaseURL string, connections int) error {
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return err
	}
	config.MaxConns = int32(connections)
	// By default PostgreSQL plans a page of comments again for each call, which doubles its cost.
	config.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := pool.Ping(ctx); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	contentv1.RegisterContentServiceServer(server, &service{pool: pool})
	context.AfterFunc(ctx, server.GracefulStop)
	fmt.Println("serving on", listener.Addr())
	return server.Serve(listener)
}

func main() {
	address := flag.String("listen", "127.0.0.1:50051", "`HOST:PORT` to serve on")
	databaseURL := flag.String("database-url", "", "`URL` of a database that contentd has migrated")
	connections := flag.Int("connections", 8, "number of connections to the database")
	flag.Parse()
	// The heap is so small that by default it would be collected a hundred times a second.
	debug.SetGCPercent(400)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := serve(ctx, *address, *databaseURL, *connections); err != nil {
		log.Fatal(err)
	}
}
