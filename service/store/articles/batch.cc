#include "store/articles/batch.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "postgres/bulk.h"
#include "store/articles/feed.h"
#include "store/articles/inspect.h"
#include "store/articles/json.h"
#include "store/articles/search.h"
#include "store/columns.h"
#include "store/lock.h"
#include "store/names.h"
#include "store/request_log.h"

namespace content::store {
namespace {

// Creates articles, all at once: a row that is changed in the transaction that inserts it costs
// twice as much.
const postgres::BulkStatement<10>& InsertStates() {
  static const postgres::BulkStatement<10> statement(
      R"sql(
INSERT INTO article_state (bucket, article_key, name, first_name, revision, comment_count,
                           comment_policy, publish_time, retracted, scheduled, feed_position,
                           published_position, ever_readable)
SELECT n.bucket, n.article_key, n.name, n.first_name, n.revision, 0, n.comment_policy,
       n.publish_time, n.retracted, n.scheduled, n.position,
       CASE WHEN n.retracted THEN 0 ELSE n.position END, false
FROM $rows AS n (bucket, article_key, name, first_name, revision, comment_policy, publish_time,
                 retracted, scheduled, position)
)sql",
      {"smallint", "bigint", "text", "text", "bigint", "smallint", "timestamptz", "boolean",
       "boolean", "bigint"});
  return statement;
}

// `structure` is JSON (see ArticleStructure).
const postgres::BulkStatement<11>& UpsertArticles() {
  static const postgres::BulkStatement<11> statement(
      R"sql(
INSERT INTO article (bucket, article_key, text_revision, title, authors, sections, tags, update_time,
                     language_code, summary, body, source_uri, word_count)
SELECT n.bucket, n.article_key, n.revision, n.title, coalesce(n.structure -> 'authors', '[]'),
       coalesce(n.structure -> 'sections', '[]'), coalesce(n.structure -> 'tags', '[]'),
       n.update_time, n.language_code, n.summary, n.body, n.source_uri, n.word_count
FROM $rows AS n (bucket, article_key, revision, title, structure, update_time, language_code,
                 summary, body, source_uri, word_count)
ON CONFLICT (article_key, bucket) DO UPDATE SET
  text_revision = excluded.text_revision, title = excluded.title, authors = excluded.authors,
  sections = excluded.sections, tags = excluded.tags, update_time = excluded.update_time,
  language_code = excluded.language_code, summary = excluded.summary, body = excluded.body,
  source_uri = excluded.source_uri, word_count = excluded.word_count
)sql",
      {"smallint", "bigint", "bigint", "text", "jsonb", "timestamptz", "text", "text", "text",
       "text", "integer"});
  return statement;
}

// $1 buckets, $2 article keys (arrays).
constexpr char kDeleteLabels[] =
    "DELETE FROM article_label "
    "WHERE bucket = ANY ($1::smallint[]) AND article_key = ANY ($2::bigint[])";

const postgres::BulkStatement<5>& InsertLabels() {
  static const auto statement =
      postgres::BulkStatement<5>::Insert("article_label", {{{"bucket", "smallint"},
                                                            {"article_key", "bigint"},
                                                            {"kind", "text"},
                                                            {"value", "text"},
                                                            {"publish_time", "timestamptz"}}});
  return statement;
}

const postgres::BulkStatement<9>& UpdateStates() {
  static const postgres::BulkStatement<9> statement(
      R"sql(
UPDATE article_state s
SET name = n.name, revision = n.revision, comment_policy = n.comment_policy,
    publish_time = n.publish_time, retracted = n.retracted, scheduled = n.scheduled,
    feed_position = n.position,
    published_position =
      CASE WHEN NOT n.retracted AND (s.revision = 0 OR s.retracted OR s.scheduled)
           THEN n.position ELSE s.published_position END,
    ever_readable = s.ever_readable OR (s.revision > 0 AND NOT s.retracted AND NOT s.scheduled)
FROM $rows AS n (bucket, article_key, name, revision, comment_policy, publish_time, retracted,
                 scheduled, position)
WHERE s.bucket = n.bucket AND s.article_key = n.article_key
)sql",
      {"smallint", "bigint", "text", "bigint", "smallint", "timestamptz", "boolean", "boolean",
       "bigint"});
  return statement;
}

// Returns any time for an article without text, which counts as retracted.
absl::Time PublishTimeOf(const ArticleDraft& draft) {
  return draft.article ? FromTimestamp(draft.article->publish_time()) : draft.locked.now;
}

// The kinds and values of the labels of an article. None of its texts has a line break.
using Labels = std::set<std::pair<std::string, std::string>>;

Labels LabelsOf(const v1::Article& article) {
  Labels labels;
  for (const std::string& tag : article.tags()) labels.emplace("tag", tag);
  for (const v1::Author& author : article.authors()) {
    const std::string& name = author.id().empty() ? author.display_name() : author.id();
    labels.emplace("author", name);
    for (const std::string& tag : article.tags()) {
      labels.emplace("author and tag", absl::StrCat(name, "\n", tag));
    }
  }
  return labels;
}

using Drafts = std::vector<ArticleDraft*>;

bool IsScheduled(const LockedArticle& article) { return !article.retracted && !article.readable; }

void WriteTexts(postgres::Transaction& transaction, const Drafts& drafts) {
  postgres::Rows<11> rows;
  for (const ArticleDraft* draft : drafts) {
    if (!draft->has_new_text) continue;
    const v1::Article& article = *draft->article;
    const ArticleKey key = draft->locked.key;
    rows.Add(key.bucket(), key.value(), article.etag(), article.title(), ArticleStructure(article),
             TimeParameter(FromTimestamp(article.update_time())), article.language_code(),
             article.summary(), article.body(), article.source_uri(), article.word_count());
  }
  if (!rows.empty()) UpsertArticles().Exec(transaction, rows);
}

void WriteLabels(postgres::Transaction& transaction, const Drafts& drafts) {
  std::vector<ArticleKey> relabelled;
  postgres::Rows<5> rows;
  for (const ArticleDraft* draft : drafts) {
    if (!draft->has_new_labels) continue;
    const ArticleKey key = draft->locked.key;
    if (draft->locked.version > 0) relabelled.push_back(key);
    for (const auto& [kind, value] : LabelsOf(*draft->article)) {
      rows.Add(key.bucket(), key.value(), kind, value, TimeParameter(PublishTimeOf(*draft)));
    }
  }
  if (!relabelled.empty()) {
    transaction.Queue(kDeleteLabels, BucketsParameter(relabelled), KeysParameter(relabelled));
  }
  if (!rows.empty()) InsertLabels().Exec(transaction, rows);
}

void WriteSearch(postgres::Transaction& transaction, const Drafts& drafts) {
  std::vector<IndexedArticle> indexed;
  std::vector<ArticleKey> removed;
  for (const ArticleDraft* draft : drafts) {
    const LockedArticle& locked = draft->locked;
    if (draft->search == ArticleDraft::Search::kRemove) removed.push_back(locked.key);
    if (draft->search != ArticleDraft::Search::kIndex) continue;
    indexed.push_back({locked.key, locked.readable ? PublishTimeOf(*draft) : absl::InfiniteFuture(),
                       &*draft->article});
  }
  UnindexArticles(transaction, removed);
  IndexArticles(transaction, indexed);
}

void WriteNewStates(postgres::Transaction& transaction, const Drafts& drafts) {
  postgres::Rows<10> rows;
  for (const ArticleDraft* draft : drafts) {
    if (!draft->is_new) continue;
    const LockedArticle& locked = draft->locked;
    rows.Add(locked.key.bucket(), locked.key.value(), locked.name, locked.first_name,
             locked.revision, static_cast<int>(locked.comment_policy),
             TimeParameter(PublishTimeOf(*draft)), locked.retracted, IsScheduled(locked),
             locked.version);
  }
  if (!rows.empty()) InsertStates().Queue(transaction, rows);
}

void WriteOldStates(postgres::Transaction& transaction, const Drafts& drafts) {
  postgres::Rows<9> rows;
  for (const ArticleDraft* draft : drafts) {
    if (draft->is_new) continue;
    const LockedArticle& locked = draft->locked;
    rows.Add(locked.key.bucket(), locked.key.value(), locked.name, locked.revision,
             static_cast<int>(locked.comment_policy), TimeParameter(PublishTimeOf(*draft)),
             locked.retracted, IsScheduled(locked), locked.version);
  }
  if (!rows.empty()) UpdateStates().QueueApart(transaction, rows);
}

// Comes last, because no other article can be published from here to the commit.
void WriteStates(postgres::Transaction& transaction, const Drafts& drafts) {
  std::vector<FeedPlace> places;
  for (const ArticleDraft* draft : drafts) {
    places.push_back({draft->locked.key, draft->locked.version});
  }
  MoveToFeedEnd(transaction, places);
  for (size_t i = 0; i < drafts.size(); ++i) drafts[i]->locked.version = places[i].position;
  WriteNewStates(transaction, drafts);
  WriteOldStates(transaction, drafts);
}

// A write, who makes it, and its article, which is locked if it exists.
struct Item {
  const ArticleWrite* write;
  const Caller* caller;
  ArticleDraft* draft;
  ArticleAnswer* answer;
};

class ArticleBatch {
 public:
  ArticleBatch(postgres::Connection& connection, const std::vector<Called<ArticleWrite>*>& writes,
               postgres::WriteMode mode)
      : transaction_(connection), writes_(writes), mode_(mode), answers_(writes.size()) {}

  std::vector<ArticleAnswer> Run(const Announce& announce) {
    Complete();
    FindKeys();
    Lock();
    ReadRequests();
    ReadArticles();
    Apply();
    Write();
    std::vector<ChangeNotice> notices = Notices();  // nothing may fail after the commit
    Commit();
    if (!notices.empty()) announce(std::move(notices));
    return std::move(answers_);
  }

 private:
  // Before anything is locked, because it takes time.
  void Complete() {
    for (size_t i = 0; i < writes_.size(); ++i) {
      auto* const publication = std::get_if<Publication>(&writes_[i]->write);
      if (publication == nullptr || publication->options.imported) continue;
      absl::Status status = CompleteArticle("article", publication->article);
      if (!status.ok()) answers_[i] = std::move(status);
    }
  }

  // Finds the keys of the articles, and creates those that are missing, without text, if a write
  // will give them one. Asks the database for the names, because a name that is wrongly remembered
  // would keep its article from being created.
  void FindKeys() {
    const std::set<std::string> names = NamesOf([](const ArticleWrite&) { return true; });
    if (names.empty()) return;
    keys_ = ReadKeys(transaction_, {names.begin(), names.end()});
    RefuseRenamed();
    const auto created = TakeNames(transaction_, MissingNames(), WantedKeys());
    if (!created.empty()) Create(created);
    // Others have created the rest in the meantime.
    const std::vector<std::string> lost = MissingNames();
    if (!lost.empty()) keys_.merge(ReadKeys(transaction_, lost));
  }

  // Returns the names in the writes that meet a condition and have not failed.
  template <class Condition>
  std::set<std::string> NamesOf(Condition condition) const {
    std::set<std::string> names;
    for (size_t i = 0; i < writes_.size(); ++i) {
      const ArticleWrite& write = writes_[i]->write;
      if (!answers_[i] && condition(write)) names.insert(ArticleOf(write));
    }
    return names;
  }

  // Returns the names of articles that do not exist yet and will be created.
  std::vector<std::string> MissingNames() const {
    std::vector<std::string> missing;
    for (const std::string& name : NamesOf(WouldCreate)) {
      if (!keys_.contains(name)) missing.push_back(name);
    }
    return missing;
  }

  // Refuses to create articles of another database that are here under one of their former names:
  // they would be here twice.
  void RefuseRenamed() {
    std::map<size_t, const Publication*> new_here;
    std::set<std::string> former_names;
    for (size_t i = 0; i < writes_.size(); ++i) {
      const auto* const publication = std::get_if<Publication>(&writes_[i]->write);
      if (answers_[i] || publication == nullptr || !publication->options.restoration) continue;
      if (keys_.contains(publication->id)) continue;
      new_here.emplace(i, publication);
      former_names.insert(publication->options.former_names.begin(),
                          publication->options.former_names.end());
    }
    if (former_names.empty()) return;
    const auto owners = ReadKeys(transaction_, {former_names.begin(), former_names.end()});
    for (const auto& [i, publication] : new_here) {
      const PublishOptions& options = publication->options;
      for (const std::string& name : options.former_names) {
        const auto owner = owners.find(name);
        if (owner == owners.end() || owner->second.value() != options.restoration->key) continue;
        answers_[i] = RenamedElsewhere(ArticleName(publication->id), ArticleName(name));
        break;
      }
    }
  }

  // Returns the keys that new articles shall have, as far as they are free.
  std::map<std::string, ArticleKey> WantedKeys() {
    std::map<ArticleKey, std::string> names;
    for (const auto* const called : writes_) {
      const auto* const publication = std::get_if<Publication>(&called->write);
      if (publication == nullptr || !publication->options.restoration) continue;
      const int64_t key = publication->options.restoration->key;
      if (key > 0) names.try_emplace(ArticleKey(key), publication->id);
    }
    std::map<std::string, ArticleKey> wanted;
    if (names.empty()) return wanted;
    std::vector<ArticleKey> keys;
    for (const auto& [key, name] : names) keys.push_back(key);
    for (const ArticleKey key : KeysInUse(transaction_, keys)) names.erase(key);
    for (const auto& [key, name] : names) wanted.emplace(name, key);
    return wanted;
  }

  // Nobody else can see the new articles, so they need no lock.
  void Create(const std::map<std::string, ArticleKey>& created) {
    for (const auto& [name, key] : created) {
      drafts_[key] = {.locked = WithoutText(key, name, Now()), .is_new = true};
    }
    keys_.insert(created.begin(), created.end());
  }

  // Returns the time of the database for the articles that are not stored yet.
  absl::Time Now() {
    if (!now_) now_ = ReadNow(transaction_);
    return *now_;
  }

  static LockedArticle WithoutText(ArticleKey key, const std::string& name, absl::Time now) {
    return {.key = key,
            .first_name = name,
            .name = name,
            .revision = 0,
            .comment_policy = v1::COMMENT_POLICY_OPEN,
            .retracted = true,
            .readable = false,
            .now = now};
  }

  void Lock() {
    std::vector<ArticleKey> keys;
    for (const auto& [name, key] : keys_) {
      if (!drafts_.contains(key)) keys.push_back(key);
    }
    const LockWait wait = mode_.skip_locked ? LockWait::kSkip : LockWait::kWait;
    for (auto& [key, locked] : LockArticles(transaction_, keys, wait)) {
      drafts_[key].locked = std::move(locked);
    }
    for (size_t i = 0; i < writes_.size(); ++i) {
      if (answers_[i]) continue;
      const ArticleWrite& write = writes_[i]->write;
      const Caller* const caller = writes_[i]->caller.get();
      const auto key = keys_.find(ArticleOf(write));
      if (key == keys_.end()) {
        items_.push_back({&write, caller, &MissingArticle(ArticleOf(write)), &answers_[i]});
      } else if (const auto draft = drafts_.find(key->second); draft != drafts_.end()) {
        items_.push_back({&write, caller, &draft->second, &answers_[i]});
      } else if (!mode_.skip_locked) {
        answers_[i] = NotSeen(write);
      }
    }
  }

  // Returns the answer to a write to an article that has a name but no row. Where tables are
  // distributed, the row that another transaction has created may be seen a moment later.
  static absl::Status NotSeen(const ArticleWrite& write) {
    return WouldCreate(write) ? Contention() : ArticleNotFound(ArticleName(ArticleOf(write)));
  }

  // Returns the draft of an article that does not exist and is not created.
  ArticleDraft& MissingArticle(const std::string& name) {
    const auto [entry, is_new] = missing_.try_emplace(name);
    if (is_new) entry->second.locked = WithoutText(ArticleKey(), name, Now());
    return entry->second;
  }

  void ReadRequests() {
    std::vector<RequestLog::Key> keys;
    for (const Item& item : items_) {
      const RequestKey& request = RequestOf(*item.write);
      // An id without a fingerprint was created for this write, so only another attempt can have
      // used it.
      const bool may_exist = mode_.in_doubt || !request.fingerprint.empty();
      if (may_exist && !request.id.empty() && item.draft->locked.revision > 0) {
        keys.push_back({item.draft->locked.key, request.id});
      }
    }
    requests_.Read(keys);
  }

  // Reads the stored articles. Leaves out the writes to those that would exceed the limit, as if
  // they were locked, unless all must be answered.
  void ReadArticles() {
    std::vector<ArticleKey> keys;
    for (const auto& [key, draft] : drafts_) {
      if (draft.locked.revision > 0) keys.push_back(key);
    }
    if (keys.empty()) return;
    const int64_t max_bytes =
        mode_.skip_locked ? kMaxGroupBytes : std::numeric_limits<int64_t>::max();
    int64_t bytes = 0;
    std::set<ArticleKey> left_out;
    for (auto& [key, article] : ReadArticleTexts(transaction_, keys, max_bytes)) {
      const int64_t size = article ? static_cast<int64_t>(SizeOf(*article)) : 0;
      if (article && (bytes == 0 || bytes + size <= max_bytes)) {
        bytes += size;
        drafts_.at(key).article = std::move(article);
      } else {
        left_out.insert(key);
      }
    }
    std::erase_if(items_,
                  [&](const Item& item) { return left_out.contains(item.draft->locked.key); });
  }

  // Applies the writes in memory.
  void Apply() {
    for (const Item& item : items_) {
      *item.answer =
          ApplyWrite({*item.draft, requests_, audit_, item.caller, transaction_}, *item.write);
    }
  }

  // Returns the drafts of articles that have a name from now on, but no text, because their writes
  // have failed. No name may be without a state.
  Drafts NewButUnchangedDrafts() {
    Drafts drafts;
    for (auto& [key, draft] : drafts_) {
      if (draft.is_new && !draft.locked.changed) drafts.push_back(&draft);
    }
    return drafts;
  }

  // Returns the drafts that were changed, in the order of their first writes.
  Drafts ChangedDrafts() const {
    Drafts changed;
    std::set<const ArticleDraft*> seen;
    for (const Item& item : items_) {
      if (item.draft->locked.changed && seen.insert(item.draft).second) {
        changed.push_back(item.draft);
      }
    }
    return changed;
  }

  void Write() {
    WriteNewStates(transaction_, NewButUnchangedDrafts());
    const Drafts changed = ChangedDrafts();
    if (changed.empty() && !requests_.has_callers_records()) return;
    WriteTexts(transaction_, changed);
    WriteLabels(transaction_, changed);
    WriteSearch(transaction_, changed);
    audit_.Write();
    requests_.Write();
    if (!changed.empty()) WriteStates(transaction_, changed);
  }

  // A write that changes nothing is answered from what an earlier attempt or another caller has
  // committed, perhaps on this host only. So its locks are committed too, which waits for a
  // standby.
  void Commit() {
    if (std::any_of(items_.begin(), items_.end(), IsAcknowledged)) transaction_.Commit();
  }

  static bool IsAcknowledged(const Item& item) {
    return item.answer->value().ok() && !IsDryRun(*item.write);
  }

  std::vector<ChangeNotice> Notices() const {
    std::vector<ChangeNotice> notices;
    std::set<ArticleKey> seen;
    for (const Item& item : items_) {
      const LockedArticle& article = item.draft->locked;
      if (IsAcknowledged(item) && seen.insert(article.key).second) {
        notices.push_back(NoticeOf(article));
      }
    }
    return notices;
  }

  postgres::Transaction transaction_;
  const std::vector<Called<ArticleWrite>*>& writes_;
  const postgres::WriteMode mode_;
  std::map<std::string, ArticleKey> keys_;  // by name
  std::map<ArticleKey, ArticleDraft> drafts_;
  std::map<std::string, ArticleDraft> missing_;  // by name
  std::optional<absl::Time> now_;
  std::vector<ArticleAnswer> answers_;
  std::vector<Item> items_;
  RequestLog requests_{transaction_};
  AuditLog audit_{transaction_};
};

}  // namespace

std::vector<ArticleAnswer> WriteArticles(postgres::Connection& connection,
                                         const std::vector<Called<ArticleWrite>*>& writes,
                                         postgres::WriteMode mode, const Announce& announce) {
  return ArticleBatch(connection, writes, mode).Run(announce);
}

}  // namespace content::store
