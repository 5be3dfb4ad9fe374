#include "store/postgres_store.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/uuid.h"
#include "postgres/connection.h"
#include "postgres/dsn.h"
#include "postgres/pool.h"
#include "store/articles/feed.h"
#include "store/articles/publish.h"
#include "store/articles/read.h"
#include "store/articles/search.h"
#include "store/change_notifier.h"
#include "store/comments/batch.h"
#include "store/comments/changes.h"
#include "store/comments/moderation.h"
#include "store/comments/read.h"
#include "store/comments/write_queue.h"
#include "store/schema.h"
#include "store/upkeep/authors.h"
#include "store/upkeep/counters.h"
#include "store/upkeep/requests.h"

namespace content::store {
namespace {

// Whether the database takes writes.
constexpr char kSelectWritable[] =
    "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'";

absl::Status Check(postgres::Connection& connection) {
  const bool writable = connection.Read(kSelectWritable)[0][0].as<bool>();
  return writable ? absl::OkStatus() : StoreUnavailable();
}

v1::PoolInfo ToPoolInfo(postgres::Pool& pool) {
  const postgres::Pool::Stats stats = pool.GetStats();
  v1::PoolInfo info;
  info.set_name(pool.options().name);
  info.set_connection_limit(pool.options().connections);
  info.set_queue_limit(static_cast<int64_t>(pool.options().queue_limit));
  info.set_open_connections(stats.open_connections);
  info.set_busy_connections(stats.busy_connections);
  info.set_waiting_calls(static_cast<int64_t>(stats.waiting_calls));
  return info;
}

// Which pool does what is decided here, and nothing else.
class PostgresStore : public Store {
 public:
  explicit PostgresStore(const PostgresOptions& options)
      : change_notifier_(options.url, options.notifications),
        reads_(PoolOptions(options, "reads", options.read_connections)),
        writes_(WritePoolOptions(options)),
        publishing_({.name = "publishing",
                     .url = options.url,
                     .connections = 1,
                     .queue_limit = kPublishingQueue,
                     .statement_timeout = options.statement_timeout}),
        checks_(PoolOptions(options, "checks", 1)) {}

  void ReadArticle(CallContext context, std::string id, v1::ArticleView view,
                   Callback<std::optional<EncodedArticle>> done) override {
    auto& articles = view == v1::ARTICLE_VIEW_FULL ? full_articles_ : basic_articles_;
    articles.Read(std::move(context), std::move(id), std::move(done));
  }

  void ReadArticleState(CallContext context, std::string id,
                        Callback<std::optional<ArticleState>> done) override {
    article_states_.Read(std::move(context), std::move(id), std::move(done));
  }

  void ReadArticleStates(CallContext context, std::vector<std::string> ids,
                         Callback<std::vector<std::optional<ArticleState>>> done) override {
    lists_of_states_.Read(std::move(context), std::move(ids), std::move(done));
  }

  SteadyTime OldestReadStart() override { return reads_.OldestJobStart(); }

  std::unique_ptr<Subscription> Subscribe(ChangeListener listener) override {
    return change_notifier_.Subscribe(std::move(listener));
  }

  void ListArticles(CallContext context, ArticleQuery query,
                    Callback<Page<v1::Article>> done) override {
    Run(std::move(context), reads_, std::move(done),
        [query = std::move(query)](postgres::Connection& connection, bool) {
          return store::ListArticles(connection, query);
        });
  }

  void SearchArticles(CallContext context, SearchQuery query,
                      Callback<Page<v1::SearchResult>> done) override {
    Run(std::move(context), reads_, std::move(done),
        [query = std::move(query)](postgres::Connection& connection, bool) {
          return store::SearchArticles(connection, query);
        });
  }

  void GetArticlePage(CallContext context, v1::ArticleView view, CommentQuery comments,
                      Callback<ArticlePage> done) override {
    Run(std::move(context), reads_, std::move(done),
        [view, comments = std::move(comments)](postgres::Connection& connection, bool) {
          return store::GetArticlePage(connection, view, comments);
        });
  }

  void GetComment(CallContext context, CommentRef comment, int64_t min_revision,
                  Callback<v1::Comment> done) override {
    CommentKey key(comment.article_id, comment.comment_id);
    comments_.Read(std::move(context), std::move(key),
                   [comment = std::move(comment), min_revision,
                    done = std::move(done)](absl::StatusOr<FoundComment> found) mutable {
                     if (!found.ok()) return std::move(done)(found.status());
                     std::move(done)(CommentOf(*std::move(found), comment, min_revision));
                   });
  }

  void ListComments(CallContext context, CommentQuery query, Callback<CommentPage> done) override {
    Run(std::move(context), reads_, std::move(done),
        [query = std::move(query)](postgres::Connection& connection, bool) {
          return store::ListComments(connection, query);
        });
  }

  void CreateComment(CallContext context, NewComment comment, Callback<v1::Comment> done) override {
    comment_writes_.Add(std::move(context), std::move(comment), std::move(done));
  }

  void UpdateComment(CallContext context, CommentEdit edit, Callback<v1::Comment> done) override {
    SetOwnId(edit.request);
    comment_writes_.Add(std::move(context), std::move(edit), std::move(done));
  }

  void DeleteComment(CallContext context, CommentDeletion deletion,
                     Callback<int64_t> done) override {
    SetOwnId(deletion.request);
    comment_writes_.Add(std::move(context), std::move(deletion),
                        [done = std::move(done)](absl::StatusOr<v1::Comment> deleted) mutable {
                          if (!deleted.ok()) return std::move(done)(deleted.status());
                          std::move(done)(deleted->article_revision());
                        });
  }

  void ReadCommentChanges(CallContext context, std::string article_id, int64_t after_revision,
                          Callback<CommentChanges> done) override {
    Run(std::move(context), reads_, std::move(done),
        [article_id = std::move(article_id), after_revision](postgres::Connection& connection,
                                                             bool) {
          return store::ReadCommentChanges(connection, article_id, after_revision);
        });
  }

  void ReadArticleChanges(CallContext context, ArticleCursor after, absl::Time now,
                          Callback<ArticleChanges> done) override {
    Run(std::move(context), reads_, std::move(done),
        [after = std::move(after), now](postgres::Connection& connection, bool) {
          return store::ReadArticleChanges(connection, after, now);
        });
  }

  void GetArticleCursor(CallContext context, Callback<ArticleCursor> done) override {
    Run(std::move(context), reads_, std::move(done),
        [](postgres::Connection& connection, bool) { return store::GetArticleCursor(connection); });
  }

  void PublishArticle(CallContext context, v1::Article article, PublishOptions options,
                      Callback<PublishedArticle> done) override {
    SetOwnId(options.request);
    Run(std::move(context), publishing_, std::move(done),
        [this, article = std::move(article), options = std::move(options)](
            postgres::Connection& connection, bool) {
          return store::PublishArticle(connection, article, options, announce_);
        });
  }

  void UpdateArticle(CallContext context, ArticleEdit edit, Callback<v1::Article> done) override {
    WriteArticle(std::move(context), std::move(edit), std::move(done), store::UpdateArticle);
  }

  void RenameArticle(CallContext context, ArticleRenaming renaming,
                     Callback<v1::Article> done) override {
    WriteArticle(std::move(context), std::move(renaming), std::move(done), store::RenameArticle);
  }

  void RetractArticle(CallContext context, ArticleRetraction retraction,
                      Callback<int64_t> done) override {
    WriteArticle(std::move(context), std::move(retraction), std::move(done), store::RetractArticle);
  }

  void InspectArticle(CallContext context, std::string id,
                      Callback<InspectedArticle> done) override {
    Run(std::move(context), reads_, std::move(done),
        [id = std::move(id)](postgres::Connection& connection, bool) {
          return store::InspectArticle(connection, id);
        });
  }

  void ModerateComment(CallContext context, CommentModeration moderation,
                       Callback<v1::Comment> done) override {
    SetOwnId(moderation.request);
    comment_writes_.Add(std::move(context), std::move(moderation), std::move(done));
  }

  void ListModerationQueue(CallContext context, ModerationQuery query,
                           Callback<Page<v1::Comment>> done) override {
    Run(std::move(context), reads_, std::move(done),
        [query = std::move(query)](postgres::Connection& connection, bool) {
          return store::ListModerationQueue(connection, query);
        });
  }

  void ExportAuthor(CallContext context, std::string author_id, std::string after_key,
                    Callback<Page<v1::Comment>> done) override {
    Run(std::move(context), reads_, std::move(done),
        [author_id = std::move(author_id), after_key = std::move(after_key)](
            postgres::Connection& connection, bool) {
          return store::ExportAuthor(connection, author_id, after_key);
        });
  }

  void EraseAuthor(CallContext context, std::string author_id,
                   Callback<ErasedComments> done) override {
    Run(std::move(context), writes_, std::move(done),
        [this, author_id = std::move(author_id), attempt = std::optional<ErasureAttempt>()](
            postgres::Connection& connection, bool) mutable {
          return store::EraseAuthor(connection, author_id, attempt, announce_);
        });
  }

  void VerifyCounters(CallContext context, VerifyQuery query,
                      Callback<VerifiedCounters> done) override {
    Run(std::move(context), writes_, std::move(done),
        [this, query = std::move(query), attempt = std::optional<RepairAttempt>()](
            postgres::Connection& connection, bool) mutable {
          return store::VerifyCounters(connection, query, attempt, announce_);
        });
  }

  void ForgetRequests(CallContext context, absl::Time before, Callback<int64_t> done) override {
    Run(std::move(context), writes_, std::move(done),
        [before](postgres::Connection& connection, bool) {
          return store::ForgetRequests(connection, before);
        });
  }

  v1::StoreInfo GetInfo() override {
    v1::StoreInfo info;
    info.set_schema_version(NeededSchemaVersion());
    info.set_database_version(checks_.DatabaseVersion());
    for (postgres::Pool* const pool : {&reads_, &writes_, &publishing_, &checks_}) {
      *info.add_pools() = ToPoolInfo(*pool);
    }
    return info;
  }

  void Check(CallContext context, Callback<void> done) override {
    checks_.Run(
        std::move(context),
        [](postgres::Connection& connection, bool) { return store::Check(connection); },
        std::move(done));
  }

 private:
  static postgres::Pool::Options PoolOptions(const PostgresOptions& options, const char* name,
                                             int connections) {
    return {.name = name,
            .url = options.url,
            .connections = connections,
            .queue_limit = static_cast<size_t>(options.queue_limit),
            .statement_timeout = options.statement_timeout};
  }

  // One connection always goes on with comments of articles that nobody has locked.
  static postgres::Pool::Options WritePoolOptions(const PostgresOptions& options) {
    postgres::Pool::Options writes = PoolOptions(options, "writes", options.write_connections);
    writes.prompt_connections = options.write_connections > 1 ? 1 : 0;
    return writes;
  }

  // Carries the result from the work, which may run more than once, to the callback.
  template <class T, class Work>
  static void Run(CallContext context, postgres::Pool& pool, Callback<T> done, Work work) {
    auto result = std::make_shared<std::optional<T>>();
    pool.Run(
        std::move(context),
        [result, work = std::move(work)](postgres::Connection& connection,
                                         bool in_doubt) mutable -> absl::Status {
          absl::StatusOr<T> answer = work(connection, in_doubt);
          if (!answer.ok()) return answer.status();
          *result = *std::move(answer);
          return absl::OkStatus();
        },
        [result, done = std::move(done)](absl::Status status) mutable {
          if (!status.ok()) return std::move(done)(std::move(status));
          std::move(done)(*std::move(*result));
        });
  }

  // A write that comes without a request_id gets one here, without a fingerprint: by it a second
  // attempt finds out whether the first was committed after all.
  static void SetOwnId(RequestKey& request) {
    if (request.id.empty()) request.id = NewUuid(absl::Now());
  }

  template <class T, class Change>
  void WriteArticle(CallContext context, Change change, Callback<T> done,
                    absl::StatusOr<T> (*write)(postgres::Connection&, const Change&,
                                               const Announce&)) {
    SetOwnId(change.request);
    Run(std::move(context), publishing_, std::move(done),
        [this, change = std::move(change), write](postgres::Connection& connection, bool) {
          return write(connection, change, announce_);
        });
  }

  // Articles are large and rarely written: they wait in a short queue of their own, out of the way
  // of comments. One connection: they would wait for one another at the row of the feed anyway.
  static constexpr size_t kPublishingQueue = 50;

  // What is read by key. They are used by jobs of `reads_`, and so come before it.
  using Articles = postgres::Batch<std::string, std::optional<EncodedArticle>>;
  Articles full_articles_{
      reads_, [](postgres::Connection& connection, const std::vector<std::string>& ids) {
        return store::ReadArticles(connection, ids, v1::ARTICLE_VIEW_FULL);
      }};
  Articles basic_articles_{
      reads_, [](postgres::Connection& connection, const std::vector<std::string>& ids) {
        return store::ReadArticles(connection, ids, v1::ARTICLE_VIEW_BASIC);
      }};
  postgres::Batch<std::string, std::optional<ArticleState>> article_states_{
      reads_, store::ReadArticleStates};
  postgres::Batch<std::vector<std::string>, std::vector<std::optional<ArticleState>>>
      lists_of_states_{reads_, ReadListsOfStates};
  postgres::Batch<CommentKey, FoundComment> comments_{reads_, FindComments};

  ChangeNotifier change_notifier_;
  const Announce announce_ = [this](const std::vector<ChangeNotice>& notices) {
    change_notifier_.Announce(notices);
  };
  // Used by jobs of `writes_`, and so before it.
  WriteQueue comment_writes_{writes_, [this](postgres::Connection& connection,
                                             const std::vector<const CommentChange*>& changes,
                                             LockWait wait, bool in_doubt) {
                               return WriteComments(connection, changes, wait, in_doubt, announce_);
                             }};
  postgres::Pool reads_;
  postgres::Pool writes_;
  postgres::Pool publishing_;
  postgres::Pool checks_;  // health does not wait behind the load
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> NewPostgresStore(const PostgresOptions& options) {
  PostgresOptions complete = options;
  absl::StatusOr<std::string> dsn = postgres::CompleteDsn(options.url);
  if (!dsn.ok()) return dsn.status();
  complete.url = *std::move(dsn);
  return std::make_unique<PostgresStore>(complete);
}

}  // namespace content::store
