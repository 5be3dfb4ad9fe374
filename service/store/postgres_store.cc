#include "store/postgres_store.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "content/uuid.h"
#include "postgres/breaker.h"
#include "postgres/coalescer.h"
#include "postgres/connection.h"
#include "postgres/dsn.h"
#include "postgres/known_database.h"
#include "postgres/pool.h"
#include "postgres/pooler.h"
#include "postgres/read_policy.h"
#include "postgres/schema_watch.h"
#include "postgres/server_error.h"
#include "postgres/write_policy.h"
#include "store/articles/batch.h"
#include "store/articles/feed.h"
#include "store/articles/inspect.h"
#include "store/articles/read.h"
#include "store/articles/release.h"
#include "store/articles/search.h"
#include "store/articles/write.h"
#include "store/audit/list.h"
#include "store/called.h"
#include "store/change_notifier.h"
#include "store/comments/batch.h"
#include "store/comments/blocks.h"
#include "store/comments/changes.h"
#include "store/comments/import.h"
#include "store/comments/moderation.h"
#include "store/comments/read.h"
#include "store/comments/write.h"
#include "store/names.h"
#include "store/schema.h"
#include "store/upkeep/audit.h"
#include "store/upkeep/authors.h"
#include "store/upkeep/counters.h"
#include "store/upkeep/export.h"
#include "store/upkeep/requests.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace content::store {
namespace {

using postgres::Pace;

constexpr int kPublishingConnections = 2;

// Maximum number of imports of comments that share a transaction.
constexpr size_t kMaxImports = 128;

constexpr int kCheckConnections = 1;

// How often all hosts of the database are looked at, if there are several.
constexpr absl::Duration kHostInterval = absl::Seconds(5);

// A probe that is not answered is cut off 5 s later, and the next one connects anew.
constexpr absl::Duration kProbeTimeout = absl::Seconds(1);

// Whether the database takes writes, and for which standbys their commits wait.
constexpr char kSelectState[] = R"sql(
SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off' AS writable,
       CASE WHEN current_setting('synchronous_commit') <> 'local'
         THEN current_setting('synchronous_standby_names') ELSE '' END AS standbys,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS unix_micros
)sql";

// How far the standbys lag behind: not at all if there is nothing to apply, which is NULL. So is
// the state, for users who may not see it.
constexpr char kSelectLags[] = R"sql(
SELECT application_name,
       (extract(epoch FROM max(coalesce(replay_lag, interval '0'))) * 1000000)::bigint AS lag_micros
FROM pg_stat_replication
WHERE state IN ('catchup', 'streaming')
GROUP BY application_name
)sql";

constexpr char kExportLost[] = "the connection to the database was lost during the export";

constexpr char kInsufficientPrivilege[] = "42501";

// For which standbys commits wait, as the operator has set it. Thread-safe.
class SynchronousStandbys {
 public:
  // Logs what is new.
  void Learn(const std::string& names) {
    const std::lock_guard lock(mutex_);
    if (names_ == names) return;
    names_ = names;
    if (names.empty()) {
      log::Info("commits wait for no standby");
    } else {
      log::Info("commits wait for a standby", {{"synchronous_standby_names", names}});
    }
  }

  std::string names() {
    const std::lock_guard lock(mutex_);
    return names_.value_or("");
  }

 private:
  std::mutex mutex_;
  std::optional<std::string> names_;  // Guarded by mutex_.
};

// What the last Check found. Thread-safe.
class LastCheck {
 public:
  void SetUp(bool is_up) {
    const std::lock_guard lock(mutex_);
    state_.is_up = is_up;
    if (is_up) return;
    state_.clock_skew.reset();
    state_.replication_lags.clear();
  }

  void SetSkew(absl::Duration skew) {
    const std::lock_guard lock(mutex_);
    state_.clock_skew = skew;
  }

  void SetLags(std::map<std::string, absl::Duration> lags) {
    const std::lock_guard lock(mutex_);
    state_.replication_lags = std::move(lags);
  }

  DatabaseState state() {
    const std::lock_guard lock(mutex_);
    return state_;
  }

 private:
  std::mutex mutex_;
  DatabaseState state_;  // Guarded by mutex_.
};

// Answers with the first error of any part, or with OK once all of its copies are gone.
class JointAnswer {
 public:
  explicit JointAnswer(Callback<void> done) : once_(std::make_shared<Once>(std::move(done))) {}

  void operator()(absl::Status part) const {
    if (!part.ok()) once_->Answer(std::move(part));
  }

  // Answers once. Thread-safe.
  class Once {
   public:
    explicit Once(Callback<void> done) : done_(std::move(done)) {}
    ~Once() { Answer(absl::OkStatus()); }

    Once(const Once&) = delete;
    Once& operator=(const Once&) = delete;

    void Answer(absl::Status status) {
      Callback<void> done;
      {
        const std::lock_guard lock(mutex_);
        done = std::move(done_);
      }
      if (done) std::move(done)(std::move(status));
    }

   private:
    std::mutex mutex_;
    Callback<void> done_;  // empty once it has answered. Guarded by mutex_.
  };

  // Lets others answer, while any copy is left.
  std::weak_ptr<Once> Weak() const { return once_; }

 private:
  std::shared_ptr<Once> once_;
};

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

// The facade. Only decides which pool runs a call, and at which pace.
class PostgresStore : public ObservedStore {
 public:
  explicit PostgresStore(const PostgresOptions& options)
      : report_threshold_(options.report_threshold),
        articles_per_commit_(static_cast<size_t>(options.articles_per_commit)),
        database_(std::make_shared<postgres::KnownDatabase>(options.url, [this] { OnFailover(); })),
        change_notifier_(std::make_shared<postgres::KnownDatabase>(options.direct_url, *database_),
                         options.notifications, options.connection_lifetime,
                         &numbers_.notification_lags),
        reads_(ReadPoolOptions(options)),
        writes_(WritePoolOptions(options)),
        publishing_(PublishingPoolOptions(options)),
        checks_(CheckPoolOptions(options)),
        answer_watch_([this](const std::stop_token& stop) { WatchAnswers(stop); }) {
    if (database_->Dsns().size() == 1) return;
    postgres::LookAtHosts(*database_);
    host_watch_ = std::jthread([this](const std::stop_token& stop) { WatchHosts(stop); });
  }

  void ReadArticle(CallContext context, std::string id, v1::ArticleView view,
                   Callback<std::optional<EncodedArticle>> done) override {
    auto& articles = view == v1::ARTICLE_VIEW_FULL ? full_articles_ : basic_articles_;
    articles.Add(std::move(context), std::move(id), std::move(done));
  }

  void ReadArticleState(CallContext context, std::string id,
                        Callback<std::optional<ArticleState>> done) override {
    article_states_.Add(std::move(context), std::move(id), std::move(done));
  }

  void ReadArticleStates(CallContext context, std::vector<std::string> ids,
                         Callback<std::vector<std::optional<ArticleState>>> done) override {
    lists_of_states_.Add(std::move(context), std::move(ids), std::move(done));
  }

  SteadyTime OldestReadStart() override {
    return std::min({full_articles_.OldestBatchStart(), basic_articles_.OldestBatchStart(),
                     article_states_.OldestBatchStart(), lists_of_states_.OldestBatchStart()});
  }

  std::unique_ptr<Subscription> Subscribe(ChangeListener listener) override {
    return change_notifier_.Subscribe(std::move(listener));
  }

  std::unique_ptr<Subscription> SubscribeToFailovers(FailoverListener listener) override {
    return change_notifier_.SubscribeToFailovers(std::move(listener));
  }

  void ListArticles(CallContext context, ArticleQuery query,
                    Callback<Page<v1::Article>> done) override {
    reads_.Read(
        std::move(context), Pace::kAny,
        [query = std::move(query)](postgres::Connection& connection) {
          return store::ListArticles(connection, query);
        },
        std::move(done));
  }

  void SearchArticles(CallContext context, SearchQuery query,
                      Callback<Page<v1::SearchResult>> done) override {
    reads_.Read(
        std::move(context), Pace::kAny,
        [query = std::move(query)](postgres::Connection& connection) {
          return store::SearchArticles(connection, query);
        },
        std::move(done));
  }

  void GetArticlePage(CallContext context, v1::ArticleView view, CommentQuery comments,
                      Callback<ArticlePage> done) override {
    const Pace pace = PaceOf(comments);
    reads_.Read(
        std::move(context), pace,
        [this, view, comments = std::move(comments)](postgres::Connection& connection) {
          return store::GetArticlePage(connection, names_, view, comments);
        },
        std::move(done));
  }

  void GetComment(CallContext context, CommentRef comment, int64_t min_revision,
                  Callback<v1::Comment> done) override {
    CommentKey key(comment.article_id, comment.comment_id);
    comments_.Add(std::move(context), std::move(key),
                  [comment = std::move(comment), min_revision,
                   done = std::move(done)](absl::StatusOr<FoundComment> found) mutable {
                    if (!found.ok()) return std::move(done)(found.status());
                    std::move(done)(CommentOf(*std::move(found), comment, min_revision));
                  });
  }

  void ListComments(CallContext context, CommentQuery query, Callback<CommentPage> done) override {
    const Pace pace = PaceOf(query);
    reads_.Read(
        std::move(context), pace,
        [this, query = std::move(query)](postgres::Connection& connection) {
          return store::ListComments(connection, names_, query);
        },
        std::move(done));
  }

  void CreateComment(CallContext context, NewComment comment, Callback<v1::Comment> done) override {
    Write(comment_writes_, std::move(context), std::move(comment), std::move(done));
  }

  void UpdateComment(CallContext context, CommentEdit edit, Callback<v1::Comment> done) override {
    SetOwnId(edit.request);
    Write(comment_writes_, std::move(context), std::move(edit), std::move(done));
  }

  void DeleteComment(CallContext context, CommentDeletion deletion,
                     Callback<int64_t> done) override {
    SetOwnId(deletion.request);
    Write(comment_writes_, std::move(context), std::move(deletion),
          [done = std::move(done)](absl::StatusOr<v1::Comment> deleted) mutable {
            if (!deleted.ok()) return std::move(done)(deleted.status());
            std::move(done)(deleted->article_revision());
          });
  }

  void ReadCommentChanges(CallContext context, std::string article_id, CommentCursor after,
                          Callback<CommentChanges> done) override {
    reads_.Read(
        std::move(context), Pace::kAny,
        [this, article_id = std::move(article_id),
         after = std::move(after)](postgres::Connection& connection) {
          return store::ReadCommentChanges(connection, names_, article_id, after);
        },
        std::move(done));
  }

  void ReadArticleChanges(CallContext context, ArticleCursor after,
                          Callback<ArticleChanges> done) override {
    reads_.Read(
        std::move(context), Pace::kAny,
        [this, after = std::move(after)](postgres::Connection& connection) {
          return store::ReadArticleChanges(connection, feed_waits_, after);
        },
        std::move(done));
  }

  void GetArticleCursor(CallContext context, Callback<ArticleCursor> done) override {
    reads_.Read(
        std::move(context), Pace::kAny,
        [](postgres::Connection& connection) { return store::GetArticleCursor(connection); },
        std::move(done));
  }

  Epoch LatestEpoch() override { return database_->id().ToString(); }

  void PublishArticle(CallContext context, v1::Article article, PublishOptions options,
                      Callback<PublishedArticle> done) override {
    if (absl::Status status = CompleteName("article", article); !status.ok()) {
      return std::move(done)(std::move(status));
    }
    // What an import does is found by the article itself. Records of its requests would cost a
    // tenth of it.
    if (!options.imported) SetOwnId(options.request);
    std::string id = ParseArticleName(article.name()).value();
    Write(article_writes_, std::move(context),
          Publication{std::move(id), std::move(article), std::move(options)}, std::move(done));
  }

  void UpdateArticle(CallContext context, ArticleEdit edit, Callback<v1::Article> done) override {
    SetOwnId(edit.request);
    Write(article_writes_, std::move(context), std::move(edit), ArticleOnly(std::move(done)));
  }

  void RenameArticle(CallContext context, ArticleRename renaming,
                     Callback<v1::Article> done) override {
    SetOwnId(renaming.request);
    Write(article_writes_, std::move(context), std::move(renaming), ArticleOnly(std::move(done)));
  }

  void RetractArticle(CallContext context, ArticleRetraction retraction,
                      Callback<int64_t> done) override {
    SetOwnId(retraction.request);
    Write(article_writes_, std::move(context), std::move(retraction),
          [done = std::move(done)](absl::StatusOr<PublishedArticle> retracted) mutable {
            if (!retracted.ok()) return std::move(done)(retracted.status());
            std::move(done)(retracted->article.revision());
          });
  }

  void InspectArticle(CallContext context, std::string id,
                      Callback<InspectedArticle> done) override {
    reads_.Read(
        std::move(context), Pace::kAny,
        [this, id = std::move(id)](postgres::Connection& connection) {
          return store::InspectArticle(connection, names_, id);
        },
        std::move(done));
  }

  void ModerateComment(CallContext context, CommentModeration moderation,
                       Callback<v1::Comment> done) override {
    SetOwnId(moderation.request);
    Write(comment_writes_, std::move(context), std::move(moderation), std::move(done));
  }

  void ReportComment(CallContext context, CommentReport report, Callback<void> done) override {
    report.threshold = report_threshold_;
    Write(comment_writes_, std::move(context), std::move(report),
          [done = std::move(done)](const absl::StatusOr<v1::Comment>& reported) mutable {
            std::move(done)(reported.status());
          });
  }

  void ImportComments(CallContext context, CommentImport import,
                      Callback<v1::ImportCommentsResponse> done) override {
    Write(import_writes_, std::move(context), ImportWrite{std::move(import)}, std::move(done));
  }

  void BlockAuthor(CallContext context, std::string author_id, std::string reason,
                   Callback<v1::BlockedAuthor> done) override {
    auto caller = context.caller;
    writes_.Write(
        std::move(context), Pace::kAny,
        [caller = std::move(caller), author_id = std::move(author_id), reason = std::move(reason)](
            postgres::Connection& connection, bool /*in_doubt*/) {
          return store::BlockAuthor(connection, caller.get(), author_id, reason);
        },
        std::move(done));
  }

  void UnblockAuthor(CallContext context, std::string author_id, bool allow_missing,
                     Callback<void> done) override {
    auto caller = context.caller;
    writes_.Write(
        std::move(context), Pace::kAny,
        [caller = std::move(caller), author_id = std::move(author_id), allow_missing](
            postgres::Connection& connection, bool in_doubt) {
          return store::UnblockAuthor(connection, caller.get(), author_id, allow_missing, in_doubt);
        },
        std::move(done));
  }

  void ListBlockedAuthors(CallContext context, int page_size, std::string after_key,
                          Callback<Page<v1::BlockedAuthor>> done) override {
    reads_.Read(
        std::move(context), Pace::kAny,
        [page_size, after_key = std::move(after_key)](postgres::Connection& connection) {
          return store::ListBlockedAuthors(connection, page_size, after_key);
        },
        std::move(done));
  }

  void ListAuditEvents(CallContext context, AuditQuery query,
                       Callback<Page<v1::AuditEvent>> done) override {
    reads_.Read(
        std::move(context), Pace::kAny,
        [this, query = std::move(query)](postgres::Connection& connection) {
          return store::ListAuditEvents(connection, names_, query);
        },
        std::move(done));
  }

  void InspectComment(CallContext context, CommentRef comment,
                      Callback<v1::Comment> done) override {
    reads_.Read(
        std::move(context), Pace::kAny,
        [this, comment = std::move(comment)](postgres::Connection& connection) {
          return store::InspectComment(connection, names_, comment);
        },
        std::move(done));
  }

  void ListModerationQueue(CallContext context, ModerationQuery query,
                           Callback<Page<v1::Comment>> done) override {
    reads_.Read(
        std::move(context), Pace::kAny,
        [query = std::move(query)](postgres::Connection& connection) {
          return store::ListModerationQueue(connection, query);
        },
        std::move(done));
  }

  void ExportAuthor(CallContext context, std::string author_id, std::string after_key,
                    Callback<Page<v1::Comment>> done) override {
    reads_.Read(
        std::move(context), Pace::kAny,
        [author_id = std::move(author_id),
         after_key = std::move(after_key)](postgres::Connection& connection) {
          return store::ExportAuthor(connection, author_id, after_key);
        },
        std::move(done));
  }

  // What a first attempt has passed on cannot be taken back.
  void Export(CallContext context, ExportQuery query, ExportVisitor& visitor,
              Callback<void> done) override {
    reads_.Read(
        std::move(context), Pace::kAny,
        [this, query = std::move(query), &visitor,
         has_begun = false](postgres::Connection& connection) mutable {
          if (std::exchange(has_begun, true)) return StoreUnavailable(kExportLost);
          return store::Export(connection, names_, query, visitor);
        },
        std::move(done));
  }

  void EraseAuthor(CallContext context, Erasure erasure, Callback<ErasedComments> done) override {
    auto caller = context.caller;
    writes_.Write(
        std::move(context), Pace::kAny,
        [this, caller = std::move(caller), erasure = std::move(erasure),
         attempt = std::optional<ErasureAttempt>()](postgres::Connection& connection,
                                                    bool /*in_doubt*/) mutable {
          return store::EraseAuthor(connection, caller.get(), erasure, attempt,
                                    AnnounceFor(connection));
        },
        std::move(done));
  }

  void VerifyCounters(CallContext context, VerifyQuery query,
                      Callback<VerifiedCounters> done) override {
    auto caller = context.caller;
    writes_.Write(
        std::move(context), Pace::kAny,
        [this, caller = std::move(caller), query = std::move(query),
         attempt = std::optional<RepairAttempt>()](postgres::Connection& connection,
                                                   bool /*in_doubt*/) mutable {
          return store::VerifyCounters(connection, names_, caller.get(), query, attempt,
                                       AnnounceFor(connection));
        },
        std::move(done));
  }

  void ForgetRequests(CallContext context, absl::Duration retention,
                      Callback<ForgottenRequests> done) override {
    writes_.Write(
        std::move(context), Pace::kAny,
        [this, retention](postgres::Connection& connection, bool /*in_doubt*/) {
          absl::StatusOr<ForgottenRequests> forgotten = request_days_.Forget(connection, retention);
          if (forgotten.ok()) request_retention_ = forgotten->retention;
          return forgotten;
        },
        std::move(done));
  }

  void ForgetAuditEvents(CallContext context, absl::Duration retention,
                         Callback<int64_t> done) override {
    writes_.Write(
        std::move(context), Pace::kAny,
        [retention](postgres::Connection& connection, bool /*in_doubt*/) {
          return store::ForgetAuditEvents(connection, retention);
        },
        std::move(done));
  }

  absl::Duration RequestRetention() override { return request_retention_; }

  void ReleaseNextArticle(CallContext context, Callback<absl::Duration> done) override {
    // Skips articles that are locked, so it need not wait behind writes that wait for one.
    publishing_.Write(
        std::move(context), Pace::kPrompt,
        [this, attempt = std::optional<ArticleKey>()](postgres::Connection& connection,
                                                      bool /*in_doubt*/) mutable {
          return store::ReleaseNextArticle(connection, attempt, AnnounceFor(connection));
        },
        std::move(done));
  }

  v1::StoreInfo GetInfo() override {
    v1::StoreInfo info;
    info.set_schema_version(NeededSchemaVersion());
    info.set_database_schema_version(schema_.version());
    info.set_database_version(checks_.DatabaseVersion());
    const postgres::DatabaseId database = database_->id();
    if (database.system != 0) info.set_system_id(absl::StrCat(database.system));
    info.set_timeline(database.timeline);
    if (!info.database_version().empty()) {
      info.set_synchronous_standby_names(synchronous_standbys_.names());
    }
    for (postgres::Pool* const pool : pools_) *info.add_pools() = ToPoolInfo(*pool);
    return info;
  }

  const StoreNumbers& numbers() const override { return numbers_; }

  DatabaseState GetDatabaseState() override {
    DatabaseState state = last_check_.state();
    state.hangs = breaker_.is_open();
    state.version = checks_.DatabaseVersion();
    state.timeline = database_->id().timeline;
    return state;
  }

  bool is_schema_suitable() const override { return schema_.is_suitable(); }

  const std::vector<postgres::Pool*>& pools() override { return pools_; }

  // A pool without any connection is made to open one, because the database may have none left.
  void Check(CallContext context, Callback<void> done) override {
    const JointAnswer answer([this, done = std::move(done)](absl::Status status) mutable {
      last_check_.SetUp(status.ok());
      std::move(done)(std::move(status));
    });
    if (breaker_.is_open()) return answer(postgres::DoesNotAnswer());
    {
      const std::lock_guard lock(check_mutex_);
      latest_check_ = answer.Weak();
    }
    for (postgres::Pool* const pool : {&reads_, &writes_, &publishing_}) {
      if (pool->GetStats().open_connections > 0) continue;
      pool->Read<void>(
          context, Pace::kPrompt, [](postgres::Connection&) { return absl::OkStatus(); }, answer);
    }
    checks_.Read<void>(
        std::move(context), Pace::kAny,
        [this](postgres::Connection& connection) { return Check(connection); }, answer);
  }

 private:
  postgres::Pool::Options PoolOptions(const PostgresOptions& options, const char* name,
                                      int connections) {
    return {.name = name,
            .database = database_,
            .schema = &schema_,
            .connections = connections,
            .queue_limit = static_cast<size_t>(options.queue_limit),
            .statement_timeout = options.statement_timeout,
            .connection_lifetime = options.connection_lifetime,
            .breaker = &breaker_,
            .memory = options.memory};
  }

  // Lists, searches and exports leave half of the connections to reads by key. A single connection
  // serves both in turn.
  postgres::Pool::Options ReadPoolOptions(const PostgresOptions& options) {
    postgres::Pool::Options reads = PoolOptions(options, "reads", options.read_connections);
    reads.prompt_connections = options.read_connections / 2;
    return reads;
  }

  // One connection is always left for comments on articles that nobody has locked.
  postgres::Pool::Options WritePoolOptions(const PostgresOptions& options) {
    postgres::Pool::Options writes = PoolOptions(options, "writes", options.write_connections);
    writes.prompt_connections = options.write_connections > 1 ? 1 : 0;
    return writes;
  }

  // Articles and imports of comments are large and rare. They have a short queue of their own, out
  // of the way of comments, in which one caller can wait with a whole group of each. Groups of
  // articles take turns at the row of the feed, so more than two connections gain nothing: while
  // one group is committed, another prepares. One is always left for articles that nobody has
  // locked.
  postgres::Pool::Options PublishingPoolOptions(const PostgresOptions& options) {
    postgres::Pool::Options publishing = PoolOptions(options, "publishing", kPublishingConnections);
    publishing.prompt_connections = 1;
    publishing.queue_limit = 2 * (static_cast<size_t>(options.articles_per_commit) + kMaxImports);
    return publishing;
  }

  // They go on while the database hangs, to learn when it answers again.
  postgres::Pool::Options CheckPoolOptions(const PostgresOptions& options) {
    postgres::Pool::Options checks = PoolOptions(options, "checks", kCheckConnections);
    checks.runs_probes = true;
    return checks;
  }

  // The first page of an article's comments is read as often as the article, and its cost is
  // bounded. A later page may be part of a scan of a whole thread.
  static Pace PaceOf(const CommentQuery& query) {
    return query.after_key.empty() ? Pace::kPrompt : Pace::kAny;
  }

  // Gives a write without a request_id an id of its own, without a fingerprint, by which a second
  // attempt finds out whether the first was committed. So writes with a request_id ignore
  // `in_doubt`.
  static void SetOwnId(RequestKey& request) {
    if (request.id.empty()) request.id = NewUuid();
  }

  // Returns a callback that passes the article alone on to `done`.
  static Callback<PublishedArticle> ArticleOnly(Callback<v1::Article> done) {
    return [done = std::move(done)](absl::StatusOr<PublishedArticle> published) mutable {
      if (!published.ok()) return std::move(done)(published.status());
      std::move(done)(std::move(published->article));
    };
  }

  template <class Key, class Answer>
  using ReadsByKey = postgres::Coalescer<postgres::ReadPolicy<Key, Answer>>;
  using Articles = ReadsByKey<std::string, std::optional<EncodedArticle>>;
  using CommentWrites =
      postgres::Coalescer<postgres::WritePolicy<Called<CommentChange>, v1::Comment>>;
  using ArticleWrites =
      postgres::Coalescer<postgres::WritePolicy<Called<ArticleWrite>, PublishedArticle>>;

  using ImportWrites =
      postgres::Coalescer<postgres::WritePolicy<Called<ImportWrite>, v1::ImportCommentsResponse>>;

  // A group of articles has to fit into memory several times. It takes names, for which it may have
  // to wait.
  ArticleWrites::Policy::Limits ArticleLimits() const {
    return {.writes = articles_per_commit_,
            .bytes = kMaxGroupBytes,
            .size_of = [](const Called<ArticleWrite>& called) { return SizeOf(called.write); },
            .may_wait = true};
  }

  // One that looks for parents in an article with very many comments may use up the time of all.
  static ImportWrites::Policy::Limits ImportLimits() {
    return {.writes = kMaxImports,
            .bytes = kMaxImportBytes,
            .size_of = [](const Called<ImportWrite>& called) { return SizeOf(called.write); },
            .may_wait = true};
  }

  // Adds a write, which keeps its caller whatever others share its transaction.
  template <class Writes, class Change>
  static void Write(Writes& writes, CallContext context, Change change,
                    Callback<typename Writes::Answer> done) {
    typename Writes::Item called{std::move(change), context.caller};
    writes.Add(std::move(context), std::move(called), std::move(done));
  }

  // Returns the article that a write locks.
  template <class Change>
  static const std::string& KeyOf(const Called<Change>& called) {
    return ArticleOf(called.write);
  }

  Articles::Policy ReadArticlesOf(v1::ArticleView view) {
    return {[this, view](postgres::Connection& connection, const std::vector<std::string>& ids) {
      return store::ReadArticles(connection, names_, ids, view);
    }};
  }

  // Returns a read that takes names of articles.
  template <class Key, class Answer>
  typename ReadsByKey<Key, Answer>::Policy WithNames(postgres::Answers<Answer> (*read)(
      postgres::Connection&, ArticleNames&, const std::vector<Key>&)) {
    return {[this, read](postgres::Connection& connection, const std::vector<Key>& keys) {
      return read(connection, names_, keys);
    }};
  }

  // Returns what announces the changes that this session commits.
  Announce AnnounceFor(const postgres::Connection& connection) {
    return [this, &connection](const std::vector<ChangeNotice>& notices) {
      change_notifier_.Announce(notices, connection.database());
    };
  }

  // Sessions of an old primary that goes on do not end, so they do not tell of a failover.
  void WatchHosts(const std::stop_token& stop) const {
    while (!stop.stop_requested()) {
      SteadyClock::System().SleepFor(kHostInterval, stop);
      postgres::LookAtHosts(*database_, stop);
    }
  }

  // A read or write that hangs does not tell whether the database does, too.
  void WatchAnswers(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      SteadyClock::System().SleepFor(postgres::Breaker::kLookInterval, stop);
      if (breaker_.Look(SteadyNow()) && !is_probing_.exchange(true)) Probe();
      if (breaker_.is_open()) RefuseWaiting();
    }
  }

  void Probe() {
    checks_.Read<void>(
        {.deadline = SteadyNow() + kProbeTimeout}, Pace::kAny,
        [](postgres::Connection& connection) {
          connection.Read("SELECT 1");
          return absl::OkStatus();
        },
        [this](const absl::Status&) { is_probing_ = false; });
  }

  // Answers who waits, except for the writes that are under way: those may be committed yet.
  void RefuseWaiting() {
    for (postgres::Pool* const pool : {&reads_, &writes_, &publishing_}) pool->RefuseWaiting();
    // Of these, some wait for batches of others, and have no job in a pool.
    comment_writes_.RefuseWaiting(postgres::DoesNotAnswer());
    article_writes_.RefuseWaiting(postgres::DoesNotAnswer());
    import_writes_.RefuseWaiting(postgres::DoesNotAnswer());
    std::shared_ptr<JointAnswer::Once> check;
    {
      const std::lock_guard lock(check_mutex_);
      check = latest_check_.lock();
    }
    if (check != nullptr) check->Answer(postgres::DoesNotAnswer());
  }

  // Nothing that was read from the database before the failover is used any more.
  void OnFailover() {
    names_.Clear();
    change_notifier_.OnFailover();
  }

  absl::Status Check(postgres::Connection& connection) {
    const absl::Time before = absl::Now();
    const postgres::Result rows = connection.Read(kSelectState);
    // Its clock was read about halfway.
    const absl::Time read_at = before + (absl::Now() - before) / 2;
    last_check_.SetSkew(absl::FromUnixMicros(rows[0]["unix_micros"].as<int64_t>()) - read_at);
    last_check_.SetLags(ReadLags(connection));
    distributed_ = connection.is_distributed();
    synchronous_standbys_.Learn(rows[0]["standbys"].as<std::string>());
    absl::Status status;
    if (!rows[0]["writable"].as<bool>())
      status = StoreUnavailable("the database accepts no writes");
    status.Update(schema_.Look(connection));
    return status;
  }

  // A database that keeps its standbys to itself is well nevertheless.
  static std::map<std::string, absl::Duration> ReadLags(postgres::Connection& connection) {
    std::map<std::string, absl::Duration> lags;
    try {
      for (const postgres::Row row : connection.Read(kSelectLags)) {
        lags[row["application_name"].as<std::string>()] =
            absl::Microseconds(row["lag_micros"].as<int64_t>());
      }
    } catch (const std::exception& exception) {
      const std::optional<postgres::ServerError> error = postgres::FindServerError(exception);
      if (!error || error->sqlstate != kInsufficientPrivilege) throw;
    }
    return lags;
  }

  // A renaming takes a name while its article is locked. With other writes in its transaction,
  // which have locked or named others, it could deadlock with such a transaction of another server.
  // Tables may be distributed: articles are locked bucket by bucket (WriteArticles). So could a
  // publication with former names, but imports have many: it is tried again if it does.
  static std::optional<int> GroupOfWrite(const Called<ArticleWrite>& called) {
    return std::holds_alternative<ArticleRename>(called.write) ? std::nullopt : std::optional(0);
  }

  // An import that is only checked is rolled back.
  std::optional<int> GroupOfImport(const Called<ImportWrite>& called) {
    return called.write.import.validate_only ? std::nullopt : GroupOf(KeyOf(called));
  }

  // Returns the group of comments that may share a transaction with one on the article of this
  // name: those to the same bucket if tables are distributed, otherwise all. nullopt if the bucket
  // is not known.
  std::optional<int> GroupOf(const std::string& article) {
    if (!distributed_) return 0;
    const std::optional<ArticleKey> key = names_.Recall(article);
    if (!key) return std::nullopt;
    return key->bucket();
  }

  const int report_threshold_;
  StoreNumbers numbers_;
  LastCheck last_check_;
  const size_t articles_per_commit_;
  ArticleNames names_;
  // Until the first Check, a transaction may have writes to many buckets, which takes longer.
  std::atomic<bool> distributed_ = false;
  const std::shared_ptr<postgres::KnownDatabase> database_;
  SynchronousStandbys synchronous_standbys_;
  postgres::Breaker breaker_;
  std::atomic<bool> is_probing_ = false;
  std::mutex check_mutex_;
  std::weak_ptr<JointAnswer::Once> latest_check_;  // Guarded by check_mutex_.

  // Used by jobs of `reads_`, which therefore ends first.
  FeedWaits feed_waits_;
  Articles full_articles_{reads_, ReadArticlesOf(v1::ARTICLE_VIEW_FULL), &numbers_.read_batches};
  Articles basic_articles_{reads_, ReadArticlesOf(v1::ARTICLE_VIEW_BASIC), &numbers_.read_batches};
  ReadsByKey<std::string, std::optional<ArticleState>> article_states_{
      reads_, WithNames(store::ReadArticleStates), &numbers_.read_batches};
  ReadsByKey<std::vector<std::string>, std::vector<std::optional<ArticleState>>> lists_of_states_{
      reads_, WithNames(ReadListsOfStates), &numbers_.read_batches};
  ReadsByKey<CommentKey, FoundComment> comments_{reads_, WithNames(FindComments),
                                                 &numbers_.read_batches};

  // Used by jobs of `writes_` and `publishing_`, which therefore end first.
  RequestDays request_days_;
  std::atomic<absl::Duration> request_retention_ = absl::ZeroDuration();
  postgres::SchemaWatch schema_{NeededSchemaVersion()};
  ChangeNotifier change_notifier_;
  CommentWrites comment_writes_{
      writes_,
      {KeyOf,
       [this](postgres::Connection& connection, const std::vector<Called<CommentChange>*>& changes,
              postgres::WriteMode mode) {
         return WriteComments(connection, names_, changes, mode, AnnounceFor(connection));
       },
       [this](const Called<CommentChange>& change) { return GroupOf(KeyOf(change)); }},
      &numbers_.comment_batches};
  ArticleWrites article_writes_{
      publishing_,
      {KeyOf,
       [this](postgres::Connection& connection, const std::vector<Called<ArticleWrite>*>& writes,
              postgres::WriteMode mode) {
         return WriteArticles(connection, writes, mode, AnnounceFor(connection));
       },
       GroupOfWrite, ArticleLimits()},
      &numbers_.article_batches};
  ImportWrites import_writes_{
      publishing_,
      {KeyOf,
       [this](postgres::Connection& connection, const std::vector<Called<ImportWrite>*>& imports,
              postgres::WriteMode mode) {
         return store::ImportComments(connection, names_, imports, mode, AnnounceFor(connection));
       },
       [this](const Called<ImportWrite>& import) { return GroupOfImport(import); }, ImportLimits()},
      &numbers_.import_batches};
  postgres::Pool reads_;
  postgres::Pool writes_;
  postgres::Pool publishing_;
  postgres::Pool checks_;  // so that health checks do not wait for other calls
  const std::vector<postgres::Pool*> pools_ = {&reads_, &writes_, &publishing_, &checks_};
  std::jthread answer_watch_;
  std::jthread host_watch_;  // if there are several hosts
};

}  // namespace

absl::StatusOr<std::unique_ptr<ObservedStore>> NewPostgresStore(const PostgresOptions& options) {
  PostgresOptions complete = options;
  if (options.direct_url.empty()) complete.direct_url = options.url;
  for (std::string* const url : {&complete.url, &complete.direct_url}) {
    const absl::StatusOr<std::string> dsn = postgres::CompleteDsn(*url);
    if (!dsn.ok()) return dsn.status();
    *url = postgres::ServerDsn(*dsn, NeededSchemaVersion());
  }
  return std::make_unique<PostgresStore>(complete);
}

absl::Status CheckPoolSize(const PostgresOptions& options) {
  const absl::StatusOr<std::string> dsn = postgres::CompleteDsn(options.url);
  if (!dsn.ok()) return dsn.status();
  const bool has_notifications = options.notifications && options.direct_url.empty();
  const bool looks_at_hosts = postgres::DsnsByHost(*dsn).size() > 1;
  return postgres::CheckPoolSize(*dsn, options.read_connections + options.write_connections +
                                           kPublishingConnections + kCheckConnections +
                                           (has_notifications ? 1 : 0) + (looks_at_hosts ? 1 : 0));
}

}  // namespace content::store
