#include "store/postgres_store.h"

#include <map>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "content/digest.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "google/protobuf/util/message_differencer.h"
#include "google/protobuf/util/time_util.h"
#include "store/connection.h"
#include "store/pool.h"
#include "store/statements.h"

namespace content::store {
namespace {

using google::protobuf::util::MessageDifferencer;
using google::protobuf::util::TimeUtil;

std::string Now() { return TimeParameter(absl::Now()); }

absl::Time FromTimestamp(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixMicros(TimeUtil::TimestampToMicroseconds(timestamp));
}

// ---- Reads ----

absl::StatusOr<std::vector<std::optional<v1::Article>>> GetArticles(
    Connection& connection, const std::vector<std::string>& ids, v1::ArticleView view) {
  // Quoted, because null is an id too. Nothing in an id needs more.
  const std::string array = absl::StrCat("{\"", absl::StrJoin(ids, "\",\""), "\"}");
  const pqxx::result rows = connection.Read(SelectArticles(view), array, Now());
  std::map<std::string, v1::Article> found;
  for (const auto& row : rows) {
    if (row["body"].is_null()) return ReplyTooLarge();
    found.emplace(row["article_id"].c_str(), ReadArticle(row, view));
  }
  std::vector<std::optional<v1::Article>> articles;
  size_t bytes = 0;
  for (const std::string& id : ids) {
    const auto it = found.find(id);
    articles.push_back(it == found.end() ? std::nullopt : std::optional(it->second));
    bytes += articles.back() ? articles.back()->ByteSizeLong() : 0;
    if (bytes > kMaxReplyBytes) return ReplyTooLarge();
  }
  return articles;
}

// Moves what fits on a page from `rows` into it; `matched` rows there would have been.
template <class T, class Read>
Page<T> FillPage(const pqxx::result& rows, size_t matched, int page_size, Read read) {
  Page<T> page;
  size_t bytes = 0;
  std::string last_key;
  for (const auto& row : rows) {
    if (page.items.size() == static_cast<size_t>(page_size)) break;
    T item = read(row);
    bytes += item.ByteSizeLong();
    if (bytes > kMaxReplyBytes && !page.items.empty()) break;
    page.items.push_back(std::move(item));
    last_key = row["page_key"].c_str();
  }
  if (page.items.size() < matched) page.next_key = last_key;
  return page;
}

Page<v1::Article> ListArticles(Connection& connection, const ArticleQuery& query) {
  const std::string after =
      query.after_key.empty() ? FirstArticleKey(query.order) : query.after_key;
  const std::pair<std::string, std::string> key = absl::StrSplit(after, absl::MaxSplits('/', 1));
  const pqxx::result rows =
      connection.Read(SelectArticlePage(query), Now(), TimeParameter(query.published_after),
                      TimeParameter(query.published_before), key.first, key.second,
                      query.page_size + 1, query.author, query.tag);
  const size_t matched = rows.empty() ? 0 : rows[0]["matched"].as<size_t>();
  return FillPage<v1::Article>(rows, matched, query.page_size,
                               [&](const pqxx::row& row) { return ReadArticle(row, query.view); });
}

absl::StatusOr<v1::Comment> GetComment(Connection& connection, const std::string& article_id,
                                       const std::string& comment_id, int64_t min_revision) {
  const pqxx::result rows = connection.Read(SelectComment(), article_id, comment_id, Now());
  if (rows.empty()) return ArticleNotFound(ArticleName(article_id));
  const auto revision = rows[0]["revision"].as<int64_t>();
  if (revision < min_revision) {
    return RevisionNotReached(ArticleName(article_id), min_revision, revision);
  }
  if (rows[0]["comment_id"].is_null()) return CommentNotFound(CommentName(article_id, comment_id));
  return ReadComment(rows[0]);
}

absl::StatusOr<CommentPage> ListComments(Connection& connection, const CommentQuery& query) {
  const std::string after =
      query.after_key.empty() ? FirstCommentKey(query.order) : query.after_key;
  const pqxx::result rows = connection.Read(SelectCommentPage(query), query.article_id, Now(),
                                            after, query.page_size + 1, query.reply_to_id);
  if (rows.empty()) return ArticleNotFound(ArticleName(query.article_id));
  const pqxx::row first = rows[0];
  const auto revision = first["revision"].as<int64_t>();
  if (revision < query.min_revision) {
    return RevisionNotReached(ArticleName(query.article_id), query.min_revision, revision);
  }
  if (!first["thread_exists"].as<bool>()) {
    return CommentNotFound(CommentName(query.article_id, query.reply_to_id));
  }
  CommentPage result;
  result.article_revision = revision;
  result.comment_count = first["comment_count"].as<int64_t>();
  if (!first["comment_id"].is_null()) {
    result.page = FillPage<v1::Comment>(rows, rows.size(), query.page_size, ReadComment);
  }
  return result;
}

// ---- Writes ----

struct LockedArticle {
  int64_t revision;
  v1::CommentPolicy comment_policy;
  bool readable;
};

// Makes every other write to the article wait until the transaction ends.
std::optional<LockedArticle> LockArticle(Transaction& transaction, const std::string& article_id,
                                         absl::Time now) {
  const pqxx::result rows = transaction.Exec(kLockArticle, article_id, TimeParameter(now));
  if (rows.empty()) return std::nullopt;
  return LockedArticle{rows[0]["revision"].as<int64_t>(),
                       static_cast<v1::CommentPolicy>(rows[0]["comment_policy"].as<int>()),
                       rows[0]["readable"].as<bool>()};
}

std::optional<v1::Comment> FindComment(Transaction& transaction, const std::string& article_id,
                                       const std::string& comment_id) {
  const pqxx::result rows = transaction.Exec(SelectCommentForWriter(), article_id, comment_id);
  if (rows.empty()) return std::nullopt;
  return ReadComment(rows[0]);
}

std::string Fingerprint(const NewComment& comment) {
  return absl::BytesToHexString(Digest(
      {comment.author.id(), comment.author.display_name(), comment.body, comment.reply_to_id}));
}

// The comment that this very write added before: by the caller's request_id, or, in a second
// attempt after a commit whose outcome was not learnt, by its own id.
absl::StatusOr<std::optional<v1::Comment>> FindReplay(Transaction& transaction,
                                                      const NewComment& comment, int attempt) {
  if (comment.request_id.empty()) {
    if (attempt == 1) return std::nullopt;
    return FindComment(transaction, comment.article_id, comment.comment_id);
  }
  const pqxx::result rows =
      transaction.Exec(kSelectRequest, comment.article_id, comment.request_id);
  if (rows.empty()) return std::nullopt;
  if (rows[0]["fingerprint"].c_str() != Fingerprint(comment)) {
    return RequestIdReused(comment.request_id);
  }
  const std::string comment_id = rows[0]["comment_id"].c_str();
  std::optional<v1::Comment> replay = FindComment(transaction, comment.article_id, comment_id);
  if (!replay) return CommentNotFound(CommentName(comment.article_id, comment_id));
  return replay;
}

absl::StatusOr<int> DepthBelow(Transaction& transaction, const NewComment& comment) {
  if (comment.reply_to_id.empty()) return 0;
  const std::optional<v1::Comment> parent =
      FindComment(transaction, comment.article_id, comment.reply_to_id);
  if (!parent || parent->state() != v1::COMMENT_STATE_VISIBLE) {
    return CommentNotFound(CommentName(comment.article_id, comment.reply_to_id));
  }
  if (parent->depth() >= kMaxThreadDepth) return ThreadTooDeep(kMaxThreadDepth);
  return parent->depth() + 1;
}

v1::Comment NewMessage(const NewComment& comment, int depth, v1::CommentState state,
                       int64_t revision) {
  v1::Comment message;
  message.set_name(CommentName(comment.article_id, comment.comment_id));
  *message.mutable_author() = comment.author;
  message.set_body(comment.body);
  if (!comment.reply_to_id.empty()) {
    message.set_reply_to(CommentName(comment.article_id, comment.reply_to_id));
  }
  message.set_depth(depth);
  message.set_state(state);
  *message.mutable_create_time() =
      TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(comment.create_time));
  *message.mutable_update_time() = message.create_time();
  message.set_revision(revision);
  message.set_etag(absl::StrCat(revision));
  message.set_article_revision(revision);
  return message;
}

// What a comment would be if it were added; nothing that identifies it.
v1::Comment Preview(v1::Comment message) {
  message.clear_name();
  message.clear_revision();
  message.clear_etag();
  message.clear_article_revision();
  return message;
}

absl::StatusOr<v1::Comment> CreateComment(Connection& connection, const NewComment& comment,
                                          int attempt) {
  Transaction transaction(connection);
  const std::optional<LockedArticle> article =
      LockArticle(transaction, comment.article_id, comment.create_time);
  if (!article) return ArticleNotFound(ArticleName(comment.article_id));

  // Before anything that may have changed since it was added.
  absl::StatusOr<std::optional<v1::Comment>> replay = FindReplay(transaction, comment, attempt);
  if (!replay.ok()) return replay.status();
  if (replay->has_value()) {
    if (comment.validate_only) return Preview(**std::move(replay));
    (*replay)->set_article_revision(article->revision);
    return **std::move(replay);
  }

  if (!article->readable) return ArticleNotFound(ArticleName(comment.article_id));
  if (article->comment_policy == v1::COMMENT_POLICY_CLOSED) {
    return CommentsClosed(ArticleName(comment.article_id));
  }
  const absl::StatusOr<int> depth = DepthBelow(transaction, comment);
  if (!depth.ok()) return depth.status();
  const v1::CommentState state = article->comment_policy == v1::COMMENT_POLICY_PREMODERATED
                                     ? v1::COMMENT_STATE_PENDING
                                     : v1::COMMENT_STATE_VISIBLE;
  const int64_t revision = article->revision + 1;
  v1::Comment message = NewMessage(comment, *depth, state, revision);
  if (comment.validate_only) return Preview(std::move(message));

  transaction.Exec(kInsertComment, comment.article_id, comment.comment_id, comment.reply_to_id,
                   *depth, static_cast<int>(state), comment.author.id(),
                   comment.author.display_name(), comment.body, TimeParameter(comment.create_time),
                   revision, state == v1::COMMENT_STATE_VISIBLE ? 1 : 0, comment.request_id,
                   Fingerprint(comment));
  transaction.Commit();
  return message;
}

struct ExistingArticle {
  v1::Article article;
  bool retracted;
};

std::optional<ExistingArticle> FindArticle(Transaction& transaction, const std::string& id) {
  const pqxx::result rows = transaction.Exec(SelectArticleForWriter(), id);
  if (rows.empty()) return std::nullopt;
  return ExistingArticle{ReadArticle(rows[0], v1::ARTICLE_VIEW_FULL),
                         rows[0]["retracted"].as<bool>()};
}

// Whether the two differ in nothing that a publisher sets.
bool SameContent(const v1::Article& stored, const v1::Article& published) {
  v1::Article a = stored;
  v1::Article b = published;
  for (v1::Article* article : {&a, &b}) {
    article->clear_update_time();
    article->clear_comment_count();
    article->clear_revision();
    article->clear_etag();
  }
  return MessageDifferencer::Equals(a, b);
}

void SetDefaults(v1::Article& article, const std::optional<ExistingArticle>& existing,
                 absl::Time now) {
  if (!article.has_publish_time()) {
    *article.mutable_publish_time() =
        existing ? existing->article.publish_time()
                 : TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(now));
  }
  if (article.comment_policy() == v1::COMMENT_POLICY_UNSPECIFIED) {
    article.set_comment_policy(existing ? existing->article.comment_policy()
                                        : v1::COMMENT_POLICY_OPEN);
  }
}

// Whether the two differ in nothing but when they are shown and who may comment.
bool SameText(v1::Article stored, v1::Article published) {
  for (v1::Article* article : {&stored, &published}) {
    article->clear_publish_time();
    article->clear_comment_policy();
  }
  return SameContent(stored, published);
}

void WriteArticle(Transaction& transaction, const std::string& id, const v1::Article& article,
                  bool text_changed, int64_t revision, absl::Time now) {
  if (text_changed) {
    transaction.Exec(kUpsertArticle, id, revision, article.title(), ArticleStructure(article),
                     TimeParameter(now), article.language_code(), article.summary(), article.body(),
                     article.source_uri(), article.word_count());
  }
  transaction.Exec(kUpdateArticleState, id, revision, static_cast<int>(article.comment_policy()),
                   TimeParameter(FromTimestamp(article.publish_time())));
  transaction.Exec(kDeleteLabels, id);
  transaction.Exec(kInsertLabels, id);
}

// What an article would be if it were published.
v1::Article Preview(v1::Article article, const std::optional<ExistingArticle>& existing) {
  article.set_comment_count(existing ? existing->article.comment_count() : 0);
  article.clear_update_time();
  article.clear_revision();
  article.clear_etag();
  return article;
}

absl::StatusOr<PublishedArticle> PublishArticle(Connection& connection, v1::Article article,
                                                const PublishOptions& options) {
  const std::string id = *ParseArticleName(article.name());
  const absl::Time now = absl::Now();
  Transaction transaction(connection);
  // The row is made first, so that there is something to lock; whoever makes it at the same time
  // waits here.
  transaction.Exec(kInsertArticleState, id, static_cast<int>(v1::COMMENT_POLICY_OPEN),
                   TimeParameter(now));
  const int64_t revision = LockArticle(transaction, id, now)->revision + 1;
  const std::optional<ExistingArticle> existing = FindArticle(transaction, id);
  const std::string etag = article.etag();
  SetDefaults(article, existing, now);

  const bool same = existing && SameContent(existing->article, article);
  const bool unchanged = same && !existing->retracted;
  if (existing && !same && !options.may_replace) return ArticleExists(article.name());
  // What is there already needs no permission to replace it, so that a repeated call succeeds.
  if (!unchanged && !etag.empty() && (!existing || existing->article.etag() != etag)) {
    return EtagMismatch(article.name());
  }
  if (options.validate_only) return PublishedArticle{Preview(std::move(article), existing), {}};
  if (unchanged) return PublishedArticle{existing->article, v1::PUBLISH_OUTCOME_UNCHANGED};
  const bool text_changed = !existing || !SameText(existing->article, article);
  WriteArticle(transaction, id, article, text_changed, revision, now);
  PublishedArticle published{FindArticle(transaction, id)->article,
                             existing ? v1::PUBLISH_OUTCOME_REPLACED : v1::PUBLISH_OUTCOME_CREATED};
  transaction.Commit();
  return published;
}

absl::StatusOr<int64_t> RetractArticle(Connection& connection, const std::string& id,
                                       const std::string& etag) {
  Transaction transaction(connection);
  const std::optional<LockedArticle> locked = LockArticle(transaction, id, absl::Now());
  const std::optional<ExistingArticle> existing =
      locked ? FindArticle(transaction, id) : std::nullopt;
  if (!existing) return ArticleNotFound(ArticleName(id));
  if (existing->retracted) return locked->revision;
  if (!etag.empty() && existing->article.etag() != etag) return EtagMismatch(ArticleName(id));
  const int64_t revision = locked->revision + 1;
  transaction.Exec(kRetractArticle, id, revision);
  transaction.Commit();
  return revision;
}

absl::Status Check(Connection& connection) {
  const bool writable = connection.Read(kSelectWritable)[0][0].as<bool>();
  return writable ? absl::OkStatus() : StoreUnavailable();
}

// ---- The store ----

class PostgresStore : public Store {
 public:
  explicit PostgresStore(const PostgresOptions& options)
      : reads_(PoolOptions(options, options.read_connections)),
        writes_(PoolOptions(options, options.write_connections)),
        publishing_({.url = options.url,
                     .connections = 1,
                     .queue_limit = kPublishingQueue,
                     .statement_timeout = options.statement_timeout}),
        checks_(PoolOptions(options, 1)) {}

  void GetArticles(CallContext context, std::vector<std::string> ids, v1::ArticleView view,
                   Callback<std::vector<std::optional<v1::Article>>> done) override {
    Run(reads_, std::move(context), std::move(done),
        [ids = std::move(ids), view](Connection& c, int) {
          return store::GetArticles(c, ids, view);
        });
  }

  void ListArticles(CallContext context, ArticleQuery query,
                    Callback<Page<v1::Article>> done) override {
    Run(reads_, std::move(context), std::move(done),
        [query = std::move(query)](Connection& c, int) {
          return absl::StatusOr<Page<v1::Article>>(store::ListArticles(c, query));
        });
  }

  void GetComment(CallContext context, std::string article_id, std::string comment_id,
                  int64_t min_revision, Callback<v1::Comment> done) override {
    Run(reads_, std::move(context), std::move(done),
        [article_id = std::move(article_id), comment_id = std::move(comment_id), min_revision](
            Connection& c, int) {
          return store::GetComment(c, article_id, comment_id, min_revision);
        });
  }

  void ListComments(CallContext context, CommentQuery query, Callback<CommentPage> done) override {
    Run(reads_, std::move(context), std::move(done),
        [query = std::move(query)](Connection& c, int) { return store::ListComments(c, query); });
  }

  void CreateComment(CallContext context, NewComment comment, Callback<v1::Comment> done) override {
    Run(writes_, std::move(context), std::move(done),
        [comment = std::move(comment)](Connection& c, int attempt) {
          return store::CreateComment(c, comment, attempt);
        });
  }

  // Publishing and retracting are repeatable: a second attempt finds the work of the first done,
  // and says that nothing had to change.
  void PublishArticle(CallContext context, v1::Article article, PublishOptions options,
                      Callback<PublishedArticle> done) override {
    Run(publishing_, std::move(context), std::move(done),
        [article = std::move(article), options](Connection& c, int) {
          return store::PublishArticle(c, article, options);
        });
  }

  void RetractArticle(CallContext context, std::string id, std::string etag,
                      Callback<int64_t> done) override {
    Run(publishing_, std::move(context), std::move(done),
        [id = std::move(id), etag = std::move(etag)](Connection& c, int) {
          return store::RetractArticle(c, id, etag);
        });
  }

  void Check(CallContext context, absl::AnyInvocable<void(absl::Status) &&> done) override {
    checks_.Run(
        std::move(context), [](Connection& c, int) { return store::Check(c); }, std::move(done));
  }

 private:
  static Pool::Options PoolOptions(const PostgresOptions& options, int connections) {
    return {.url = options.url,
            .connections = connections,
            .queue_limit = static_cast<size_t>(options.queue_limit),
            .statement_timeout = options.statement_timeout};
  }

  // Carries the result from the work, which may run more than once, to the callback.
  template <class T, class Work>
  void Run(Pool& pool, CallContext context, Callback<T> done, Work work) {
    auto result = std::make_shared<std::optional<T>>();
    pool.Run(
        std::move(context),
        [result, work = std::move(work)](Connection& connection, int attempt) -> absl::Status {
          absl::StatusOr<T> answer = work(connection, attempt);
          if (!answer.ok()) return answer.status();
          *result = *std::move(answer);
          return absl::OkStatus();
        },
        [result, done = std::move(done)](absl::Status status) mutable {
          if (!status.ok()) return std::move(done)(std::move(status));
          std::move(done)(*std::move(*result));
        });
  }

  // Articles are large and rarely written: they wait in a short queue of their own, out of the way
  // of comments.
  static constexpr size_t kPublishingQueue = 50;

  Pool reads_;
  Pool writes_;
  Pool publishing_;
  Pool checks_;  // health does not wait behind the load
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> NewPostgresStore(const PostgresOptions& options) {
  PostgresOptions complete = options;
  try {
    complete.url = CompleteUrl(options.url);
  } catch (const std::exception& exception) {
    return absl::FailedPreconditionError(exception.what());
  }
  return std::make_unique<PostgresStore>(complete);
}

}  // namespace content::store
