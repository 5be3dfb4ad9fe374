#include "store/comments/import.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "content/uuid.h"
#include "store/audit/log.h"
#include "store/columns.h"
#include "store/comments/comment_tree.h"
#include "store/lock.h"

namespace content::store {
namespace {

// $1 buckets, $2 article keys, $3 ends of ids (SourceComment::id_ending). Reads all ids of the
// articles, because an index of their ends would cost every comment 30 bytes. They are joined, and
// not compared with ANY: that would take the product of both numbers.
constexpr char kSelectByEnding[] = R"sql(
SELECT c.article_key, c.comment_id FROM comment c
WHERE c.bucket = ANY ($1::smallint[]) AND c.article_key = ANY ($2::bigint[])
  AND right(c.comment_id::text, $4::integer) IN (SELECT unnest($3::text[]))
ORDER BY c.comment_id
)sql";

// A comment of an import.
struct ImportItem {
  const v1::ImportedComment* given;
  v1::CommentImportResult* result;
  Violations problems = {};
  // The id that it has, unless it would not sort after its parent's then.
  std::string own_id = {};
  // The id that it has or gets.
  std::string id = {};
  // The name of the comment that it replies to, if it is given by its name.
  std::optional<CommentRef> parent_name = {};
  // The comment that it replies to: one of the import, or its id; neither if it is not known.
  ImportItem* parent = nullptr;
  std::string parent_id = {};
  // The end of that id while only that is known.
  std::string parent_ending = {};

  enum class Visit { kNew, kOnPath, kDone } visit = Visit::kNew;

  bool is_refused() const { return !problems.empty(); }
  bool has_parent() const {
    return !given->reply_to().empty() || !given->reply_to_source_id().empty();
  }
  const char* parent_field() const {
    return given->reply_to().empty() ? "reply_to_source_id" : "reply_to";
  }
};

// Where in its thread a comment belongs.
struct Place {
  std::vector<std::string> ancestors = {};
  v1::ThreadPlacement placement = v1::THREAD_PLACEMENT_AS_GIVEN;
};

bool IsDeleted(v1::CommentState state) { return state == v1::COMMENT_STATE_DELETED; }

std::string LastOf(const std::vector<std::string>& ancestors) {
  return ancestors.empty() ? "" : ancestors.back();
}

// Returns the comment without the names of itself and of its parent, which are not stored.
v1::Comment MessageOf(const v1::ImportedComment& given, size_t depth) {
  v1::Comment message;
  message.set_state(given.state());
  if (!IsDeleted(given.state())) {
    *message.mutable_author() = given.author();
    message.set_body(given.body());
  }
  message.set_depth(static_cast<int>(depth));
  message.set_edit_count(given.edit_count());
  *message.mutable_create_time() = given.create_time();
  *message.mutable_update_time() =
      given.has_update_time() ? given.update_time() : given.create_time();
  return message;
}

// Returns the fields in which the stored comment is different. Of a deleted one, only the state is
// left. Times of edits do not count: what was edited does.
Violations DifferencesBetween(const v1::ImportedComment& given, const Place& place,
                              const StoredComment& stored) {
  const v1::Comment& message = stored.message;
  Violations differences;
  const auto compare = [&](absl::string_view field, bool same) {
    if (!same) differences.Add(field, "is different here");
  };
  compare("state", message.state() == given.state());
  if (!IsDeleted(message.state()) && !IsDeleted(given.state())) {
    compare("author.id", message.author().id() == given.author().id());
    compare("author.display_name",
            message.author().display_name() == given.author().display_name());
    compare("body", message.body() == given.body());
  }
  compare("create_time",
          FromTimestamp(message.create_time()) == FromTimestamp(given.create_time()));
  compare("reply_to", LastOf(stored.ancestors) == LastOf(place.ancestors));
  return differences;
}

// Returns whether the import deletes the comment: it is one of this service that was deleted since
// it came here.
bool Deletes(const v1::ImportedComment& given, const StoredComment& stored) {
  return !given.comment_id().empty() && IsDeleted(given.state()) &&
         !IsDeleted(stored.message.state());
}

// Returns the items that are not refused, each after the one that it replies to. Refuses those that
// reply to themselves, through others or not.
std::vector<ImportItem*> ParentsFirst(std::vector<ImportItem>& items) {
  using Visit = ImportItem::Visit;
  std::vector<ImportItem*> sorted;
  for (ImportItem& item : items) {
    std::vector<ImportItem*> path;
    ImportItem* next = &item;
    for (; next != nullptr && next->visit == Visit::kNew; next = next->parent) {
      next->visit = Visit::kOnPath;
      path.push_back(next);
    }
    const bool is_cycle = next != nullptr && next->visit == Visit::kOnPath;
    for (auto it = is_cycle ? std::find(path.begin(), path.end(), next) : path.end();
         it != path.end(); ++it) {
      (*it)->problems.Add((*it)->parent_field(), "makes the comment a reply to itself");
    }
    std::reverse(path.begin(), path.end());  // the parents come first
    for (ImportItem* const item_on_path : path) {
      item_on_path->visit = Visit::kDone;
      if (!item_on_path->is_refused()) sorted.push_back(item_on_path);
    }
  }
  return sorted;
}

// The keys of articles by their names; nullopt for names that no article has.
using KeysByName = std::map<std::string, std::optional<ArticleKey>>;

// The ids of comments by their articles and the ends of these ids.
using IdsByEnding = std::map<StoredKey, std::string>;

// One import, whose article is locked. Its steps need what its batch reads between them.
class Importer {
 public:
  Importer(Called<ImportWrite>& called, LockedArticle& article, ImportAnswer& answer)
      : import_(called.write.import),
        tried_(called.write.tried),
        caller_(called.caller.get()),
        article_(article),
        answer_(answer) {}

  const LockedArticle& article() const { return article_; }

  void CheckItems() {
    items_.reserve(import_.comments.size());
    for (const v1::ImportedComment& comment : import_.comments) {
      ImportItem& item =
          items_.emplace_back(ImportItem{.given = &comment, .result = response_.add_results()});
      CheckImportedComment(comment, article_.now, item.problems);
      if (item.is_refused()) continue;
      item.own_id = OwnId(comment);
      item.parent_name = ParseCommentName(comment.reply_to());
    }
  }

  // Adds the names by which this and other articles are given.
  void AddNames(std::set<std::string>& names) const {
    for (const ImportItem& item : items_) {
      if (item.parent_name) names.insert(item.parent_name->article_id);
    }
  }

  void FindParents(const KeysByName& articles) {
    absl::flat_hash_map<absl::string_view, ImportItem*> by_source_id;
    absl::flat_hash_map<absl::string_view, ImportItem*> by_id;
    by_source_id.reserve(items_.size());
    by_id.reserve(items_.size());
    for (ImportItem& item : items_) {
      if (item.is_refused()) continue;
      by_source_id.try_emplace(item.given->source_id(), &item);
      by_id.try_emplace(item.own_id, &item);
    }
    const auto find = [](const auto& items, absl::string_view key) {
      const auto item = items.find(key);
      return item == items.end() ? nullptr : item->second;
    };
    for (ImportItem& item : items_) {
      if (item.is_refused()) continue;
      const std::string& source_id = item.given->reply_to_source_id();
      if (!source_id.empty()) {
        item.parent = find(by_source_id, source_id);
        if (item.parent == nullptr) item.parent_ending = Source(source_id).id_ending();
      } else if (item.parent_name && articles.at(item.parent_name->article_id) == article_.key) {
        item.parent = find(by_id, item.parent_name->comment_id);
        if (item.parent == nullptr) item.parent_id = item.parent_name->comment_id;
      }
    }
  }

  // Adds the ends of the ids of the comments that are looked for among those of the article.
  void AddEndings(std::set<StoredKey>& endings) const {
    for (const ImportItem& item : items_) {
      if (!item.parent_ending.empty()) endings.insert({article_.key, item.parent_ending});
    }
  }

  void FindElsewhere(const IdsByEnding& ids) {
    for (ImportItem& item : items_) {
      if (item.parent_ending.empty()) continue;
      const auto id = ids.find({article_.key, item.parent_ending});
      if (id != ids.end()) item.parent_id = id->second;
    }
  }

  void AddKeys(std::set<StoredKey>& keys) const {
    for (const ImportItem& item : items_) {
      if (item.is_refused()) continue;
      keys.insert({article_.key, item.own_id});
      if (!item.parent_id.empty()) keys.insert({article_.key, item.parent_id});
    }
  }

  // Gives each item its id, after the one that it replies to. A reply that would not sort after
  // that one gets the next id after it, unless it is there already. Adds the keys of those to
  // `moved`, and to `changed` those of comments that change together with the ones above them.
  void ChooseIds(const CommentTree& comments, std::set<StoredKey>& moved,
                 std::set<StoredKey>& changed) {
    for (ImportItem* const item : ParentsFirst(items_)) {
      item->parent_id = ParentIdOf(*item, comments);
      item->id = item->own_id;
      if (const StoredComment* const stored = comments.Find(article_, item->own_id)) {
        if (Deletes(*item->given, *stored)) changed.insert({article_.key, item->own_id});
        continue;
      }
      if (!item->parent_id.empty()) changed.insert({article_.key, item->parent_id});
      if (item->own_id > item->parent_id) continue;
      if (!item->given->comment_id().empty()) {
        item->problems.Add("comment_id", "does not sort after that of the comment it replies to");
      } else {
        item->id = Source(item->given->source_id()).IdAfter(item->parent_id);
        moved.insert({article_.key, item->id});
      }
    }
  }

  // Changes the comments, and answers.
  void Apply(CommentTree& comments) {
    AddNew(comments);
    DeleteOld(comments);
    JudgeOthers(comments);
    if (!import_.validate_only) {
      response_.set_article_revision(article_.revision);
      response_.set_comment_count(article_.comment_count);
    }
    answer_ = std::move(response_);
  }

  void Audit(AuditLog& audit) const {
    const size_t changed = added_.size() + deleted_.size();
    if (changed == 0) return;
    AuditEvent event = EventAbout(article_, v1::AUDIT_ACTION_IMPORT_COMMENTS);
    event.item_count = static_cast<int64_t>(changed);
    audit.Add(caller_, event);
  }

  // The commit may be in doubt.
  void RememberAttempt() { tried_.merge(added_); }

 private:
  SourceComment Source(const std::string& source_id) const {
    return SourceComment(import_.source, source_id);
  }

  std::string OwnId(const v1::ImportedComment& comment) const {
    if (!comment.comment_id().empty()) return comment.comment_id();
    return Source(comment.source_id()).IdAt(FromTimestamp(comment.create_time()));
  }

  // Returns the id of the comment that the item replies to; empty if there is none.
  std::string ParentIdOf(const ImportItem& item, const CommentTree& comments) const {
    if (item.parent != nullptr) return item.parent->is_refused() ? "" : item.parent->id;
    const bool exists =
        !item.parent_id.empty() && comments.Find(article_, item.parent_id) != nullptr;
    return exists ? item.parent_id : "";
  }

  Place PlaceOf(const ImportItem& item, const CommentTree& comments) const {
    const StoredComment* const parent =
        item.parent_id.empty() ? nullptr : comments.Find(article_, item.parent_id);
    if (parent == nullptr) {
      return {.placement = item.has_parent() ? v1::THREAD_PLACEMENT_PARENT_MISSING
                                             : v1::THREAD_PLACEMENT_AS_GIVEN};
    }
    Place place{.ancestors = parent->ancestors};
    if (parent->message.depth() < kMaxThreadDepth) {
      place.ancestors.push_back(parent->id);
    } else {
      place.placement = v1::THREAD_PLACEMENT_BESIDE_PARENT;
    }
    return place;
  }

  // Adds the comments that are not there, in the order of their ids. So each comes after the one it
  // replies to, and has a later revision.
  void AddNew(CommentTree& comments) {
    std::vector<ImportItem*> sorted;
    for (ImportItem& item : items_) {
      if (!item.is_refused()) sorted.push_back(&item);
    }
    std::sort(sorted.begin(), sorted.end(),
              [](const ImportItem* a, const ImportItem* b) { return a->id < b->id; });
    for (ImportItem* const item : sorted) {
      if (comments.Find(article_, item->id) != nullptr) continue;
      Place place = PlaceOf(*item, comments);
      v1::Comment message = MessageOf(*item->given, place.ancestors.size());
      Report(*item, v1::COMMENT_IMPORT_OUTCOME_CREATED, place.placement, {});
      comments.Add(article_, item->id, std::move(place.ancestors), std::move(message));
      added_.insert(item->id);
    }
  }

  void DeleteOld(CommentTree& comments) {
    for (const ImportItem& item : items_) {
      const StoredComment* const stored =
          item.is_refused() ? nullptr : comments.Find(article_, item.id);
      if (stored == nullptr || !Deletes(*item.given, *stored)) continue;
      const Place place = PlaceOf(item, comments);
      comments.Change(article_, *stored, article_.now, Tombstone(stored->message));
      Report(item, v1::COMMENT_IMPORT_OUTCOME_DELETED, place.placement, {});
      deleted_.insert(item.id);
    }
  }

  // An import may have the same comment twice: the second is one of the others.
  void JudgeOthers(const CommentTree& comments) {
    for (const ImportItem& item : items_) {
      if (item.is_refused()) {
        Report(item, v1::COMMENT_IMPORT_OUTCOME_REFUSED, v1::THREAD_PLACEMENT_UNSPECIFIED,
               item.problems);
      } else if (item.result->outcome() == v1::COMMENT_IMPORT_OUTCOME_UNSPECIFIED) {
        Judge(item, comments);
      }
    }
  }

  void Judge(const ImportItem& item, const CommentTree& comments) const {
    const Place place = PlaceOf(item, comments);
    if (tried_.contains(item.id)) {
      return Report(item, v1::COMMENT_IMPORT_OUTCOME_CREATED, place.placement, {});
    }
    const Violations differences =
        DifferencesBetween(*item.given, place, *comments.Find(article_, item.id));
    Report(item,
           differences.empty() ? v1::COMMENT_IMPORT_OUTCOME_UNCHANGED
                               : v1::COMMENT_IMPORT_OUTCOME_CONFLICT,
           place.placement, differences);
  }

  void Report(const ImportItem& item, v1::CommentImportOutcome outcome,
              v1::ThreadPlacement placement, const Violations& problems) const {
    v1::CommentImportResult& result = *item.result;
    result.set_outcome(outcome);
    result.set_placement(placement);
    if (!item.is_refused()) result.set_name(CommentName(article_.name, item.id));
    for (const Violations::Field& field : problems.fields()) {
      v1::CommentImportProblem& problem = *result.add_problems();
      problem.set_field(field.path);
      problem.set_description(field.description);
    }
  }

  const CommentImport& import_;
  std::set<std::string>& tried_;
  const Caller* const caller_;
  LockedArticle& article_;
  ImportAnswer& answer_;
  std::vector<ImportItem> items_;
  std::set<std::string> added_;
  std::set<std::string> deleted_;
  v1::ImportCommentsResponse response_;
};

// Imports to different articles.
using ImportRound = std::vector<Importer*>;

class ImportBatch {
 public:
  ImportBatch(postgres::Connection& connection, ArticleNames& names,
              const std::vector<Called<ImportWrite>*>& imports, postgres::WriteMode mode)
      : transaction_(connection),
        names_(names),
        imports_(imports),
        mode_(mode),
        answers_(imports.size()) {}

  std::vector<ImportAnswer> Run(const Announce& announce) {
    Lock();
    for (const ImportRound& round : Rounds()) Run(round);
    if (importers_.empty() || IsDryRun()) return std::move(answers_);
    std::vector<ChangeNotice> notices = Notices();  // nothing may fail after the commit
    Commit();
    announce(std::move(notices));
    return std::move(answers_);
  }

 private:
  bool IsDryRun() const { return imports_.front()->write.import.validate_only; }

  void Lock() {
    std::vector<std::string> names;
    for (const auto* import : imports_) names.push_back(ArticleOf(import->write));
    const std::vector<std::optional<ArticleKey>> keys = names_.Find(transaction_, names);
    std::vector<ArticleKey> wanted;
    for (const auto& key : keys) {
      if (key) wanted.push_back(*key);
    }
    if (!wanted.empty()) {
      const LockWait wait = mode_.skip_locked ? LockWait::kSkip : LockWait::kWait;
      articles_ = LockArticles(transaction_, wanted, wait);
    }
    for (size_t i = 0; i < imports_.size(); ++i) {
      const auto article = keys[i] ? articles_.find(*keys[i]) : articles_.end();
      if (article != articles_.end()) {
        importers_.emplace_back(*imports_[i], article->second, answers_[i]);
      } else if (!keys[i] || !mode_.skip_locked) {
        answers_[i] = names_.NotFound(names[i]);
      }
    }
  }

  // Those to one article follow one another: each finds what the one before has added.
  std::vector<ImportRound> Rounds() {
    std::vector<ImportRound> rounds;
    std::map<ArticleKey, size_t> counts;
    for (Importer& importer : importers_) {
      const size_t round = counts[importer.article().key]++;
      if (round == rounds.size()) rounds.emplace_back();
      rounds[round].push_back(&importer);
    }
    return rounds;
  }

  void Run(const ImportRound& round) {
    CommentTree comments(transaction_);
    FindParents(round);
    ReadStored(round, comments);
    ChooseIds(round, comments);
    for (Importer* const importer : round) {
      importer->Apply(comments);
      importer->Audit(audit_);
    }
    if (!IsDryRun()) comments.Write();
  }

  void FindParents(const ImportRound& round) {
    for (Importer* const importer : round) importer->CheckItems();
    const KeysByName articles = FindArticles(round);
    for (Importer* const importer : round) importer->FindParents(articles);
    const IdsByEnding ids = FindElsewhere(round);
    for (Importer* const importer : round) importer->FindElsewhere(ids);
  }

  // Replies may name their article by any of its names.
  KeysByName FindArticles(const ImportRound& round) {
    std::set<std::string> names;
    for (const Importer* const importer : round) importer->AddNames(names);
    const std::vector<std::string> listed(names.begin(), names.end());
    const auto keys = names_.Find(transaction_, listed);
    KeysByName articles;
    for (size_t i = 0; i < listed.size(); ++i) articles.emplace(listed[i], keys[i]);
    return articles;
  }

  IdsByEnding FindElsewhere(const ImportRound& round) {
    std::set<StoredKey> wanted;
    for (const Importer* const importer : round) importer->AddEndings(wanted);
    IdsByEnding ids;
    if (wanted.empty()) return ids;
    std::vector<ArticleKey> articles;
    std::vector<std::string> endings;
    for (const StoredKey& key : wanted) {
      articles.push_back(key.article);
      endings.push_back(key.comment_id);
    }
    for (const auto& row :
         transaction_.Exec(kSelectByEnding, BucketsParameter(articles), KeysParameter(articles),
                           ArrayParameter(endings), kUuidBitsLength)) {
      const std::string id = row["comment_id"].c_str();
      ids.try_emplace({ReadKey(row["article_key"]), id.substr(id.size() - kUuidBitsLength)}, id);
    }
    return ids;
  }

  static void ReadStored(const ImportRound& round, CommentTree& comments) {
    std::set<StoredKey> keys;
    for (const Importer* const importer : round) importer->AddKeys(keys);
    comments.Read(keys);
  }

  static void ChooseIds(const ImportRound& round, CommentTree& comments) {
    std::set<StoredKey> moved;
    std::set<StoredKey> changed;
    for (Importer* const importer : round) importer->ChooseIds(comments, moved, changed);
    comments.Read(moved);
    comments.ReadAbove(changed);
  }

  // Also those of articles that an attempt before has changed.
  std::vector<ChangeNotice> Notices() const {
    std::vector<ChangeNotice> notices;
    for (const auto& [key, article] : articles_) notices.push_back(NoticeOf(article));
    return notices;
  }

  // Imports that change nothing commit the locks all the same: what they have found may be
  // committed on this host only, and this commit waits for a standby.
  void Commit() {
    std::vector<const LockedArticle*> changed;
    for (const auto& [key, article] : articles_) {
      if (article.changed) changed.push_back(&article);
    }
    audit_.Write();
    WriteCounters(transaction_, changed);
    for (Importer& importer : importers_) importer.RememberAttempt();
    transaction_.Commit();
  }

  postgres::Transaction transaction_;
  ArticleNames& names_;
  const std::vector<Called<ImportWrite>*>& imports_;
  const postgres::WriteMode mode_;
  std::map<ArticleKey, LockedArticle> articles_;
  std::vector<ImportAnswer> answers_;
  std::deque<Importer> importers_;
  AuditLog audit_{transaction_};
};

}  // namespace

const std::string& ArticleOf(const ImportWrite& write) { return write.import.article_id; }

size_t SizeOf(const ImportWrite& write) {
  constexpr size_t kLeastPerComment = kMaxImportBytes / kMaxImportedComments;
  constexpr size_t kLeast = kMaxImportBytes / 32;
  size_t size = 0;
  for (const v1::ImportedComment& comment : write.import.comments) {
    size += std::max(comment.body().size(), kLeastPerComment);
  }
  return std::max(size, kLeast);
}

std::vector<ImportAnswer> ImportComments(postgres::Connection& connection, ArticleNames& names,
                                         const std::vector<Called<ImportWrite>*>& imports,
                                         postgres::WriteMode mode, const Announce& announce) {
  return ImportBatch(connection, names, imports, mode).Run(announce);
}

}  // namespace content::store
