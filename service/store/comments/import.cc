#include "store/comments/import.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

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

// $1 bucket, $2 article key, $3 ends of ids (SourceComment::id_ending). Reads all ids of the
// article, because an index of their ends would cost every comment 30 bytes. They are joined, and
// not compared with ANY: that would take the product of both numbers.
constexpr char kSelectByEnding[] = R"sql(
SELECT c.comment_id FROM comment c
WHERE c.bucket = $1::smallint AND c.article_key = $2::bigint
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
  // The comment that it replies to: one of the import, or its id; neither if it is not known.
  ImportItem* parent = nullptr;
  std::string parent_id = {};

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

v1::Comment MessageOf(const v1::ImportedComment& given, const LockedArticle& article,
                      const std::string& id, const std::vector<std::string>& ancestors) {
  v1::Comment message;
  message.set_name(CommentName(article.name, id));
  message.set_state(given.state());
  if (!IsDeleted(given.state())) {
    *message.mutable_author() = given.author();
    message.set_body(given.body());
  }
  if (!ancestors.empty()) message.set_reply_to(CommentName(article.name, ancestors.back()));
  message.set_depth(static_cast<int>(ancestors.size()));
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

class Importer {
 public:
  Importer(postgres::Connection& connection, ArticleNames& names, const Caller* caller,
           const CommentImport& import, std::set<std::string>& tried)
      : transaction_(connection), names_(names), caller_(caller), import_(import), tried_(tried) {}

  absl::StatusOr<v1::ImportCommentsResponse> Run(const Announce& announce) {
    if (!Lock()) return names_.NotFound(import_.article_id);
    CheckItems();
    FindParents();
    ReadStored();
    ChooseIds();
    AddNew();
    DeleteOld();
    JudgeOthers();
    if (import_.validate_only) return std::move(response_);
    const ChangeNotice notice = NoticeOf(*article_);  // nothing may fail after the commit
    response_.set_article_revision(article_->revision);
    response_.set_comment_count(article_->comment_count);
    Commit();
    announce({notice});
    return std::move(response_);
  }

 private:
  bool Lock() {
    const auto key = names_.Find(transaction_, import_.article_id);
    if (key) article_ = LockArticle(transaction_, *key);
    return article_.has_value();
  }

  void CheckItems() {
    items_.reserve(import_.comments.size());
    for (const v1::ImportedComment& comment : import_.comments) {
      ImportItem& item =
          items_.emplace_back(ImportItem{.given = &comment, .result = response_.add_results()});
      CheckImportedComment(comment, article_->now, item.problems);
      if (!item.is_refused()) item.own_id = OwnId(comment);
    }
  }

  SourceComment Source(const std::string& source_id) const {
    return SourceComment(import_.source, source_id);
  }

  std::string OwnId(const v1::ImportedComment& comment) const {
    if (!comment.comment_id().empty()) return comment.comment_id();
    return Source(comment.source_id()).IdAt(FromTimestamp(comment.create_time()));
  }

  void FindParents() {
    std::map<absl::string_view, ImportItem*> by_source_id;
    std::map<absl::string_view, ImportItem*> by_id;
    for (ImportItem& item : items_) {
      if (item.is_refused()) continue;
      by_source_id.try_emplace(item.given->source_id(), &item);
      by_id.try_emplace(item.own_id, &item);
    }
    const auto find = [](const auto& items, absl::string_view key) {
      const auto item = items.find(key);
      return item == items.end() ? nullptr : item->second;
    };
    const std::set<std::string> names_of_article = NamesOfArticle();
    std::map<std::string, std::vector<ImportItem*>> elsewhere;  // by the ends of their parents' ids
    for (ImportItem& item : items_) {
      if (item.is_refused()) continue;
      const std::string& source_id = item.given->reply_to_source_id();
      const auto name = ParseCommentName(item.given->reply_to());
      if (!source_id.empty()) {
        item.parent = find(by_source_id, source_id);
        if (item.parent == nullptr) elsewhere[Source(source_id).id_ending()].push_back(&item);
      } else if (name && names_of_article.contains(name->article_id)) {
        item.parent = find(by_id, name->comment_id);
        if (item.parent == nullptr) item.parent_id = name->comment_id;
      }
    }
    FindElsewhere(elsewhere);
  }

  // Returns those names of the article by which comments are replied to.
  std::set<std::string> NamesOfArticle() {
    std::set<std::string> names;
    for (const ImportItem& item : items_) {
      const auto name = ParseCommentName(item.given->reply_to());
      if (name) names.insert(name->article_id);
    }
    const std::vector<std::string> listed(names.begin(), names.end());
    const auto keys = names_.Find(transaction_, listed);
    for (size_t i = 0; i < listed.size(); ++i) {
      if (keys[i] != article_->key) names.erase(listed[i]);
    }
    return names;
  }

  void FindElsewhere(const std::map<std::string, std::vector<ImportItem*>>& replies) {
    if (replies.empty()) return;
    std::vector<std::string> endings;
    for (const auto& [ending, items] : replies) endings.push_back(ending);
    for (const auto& row :
         transaction_.Exec(kSelectByEnding, article_->key.bucket(), article_->key.value(),
                           ArrayParameter(endings), kUuidBitsLength)) {
      const std::string id = row["comment_id"].c_str();
      for (ImportItem* const item : replies.at(id.substr(id.size() - kUuidBitsLength))) {
        if (item->parent_id.empty()) item->parent_id = id;
      }
    }
  }

  void ReadStored() {
    std::set<StoredKey> keys;
    for (const ImportItem& item : items_) {
      if (item.is_refused()) continue;
      keys.insert({article_->key, item.own_id});
      if (!item.parent_id.empty()) keys.insert({article_->key, item.parent_id});
    }
    comments_.Read(keys);
  }

  const StoredComment* Find(const std::string& id) const { return comments_.Find(*article_, id); }

  // Gives each item its id, after the one that it replies to. A reply that would not sort after
  // that one gets the next id after it, unless it is there already.
  void ChooseIds() {
    std::set<StoredKey> moved;
    std::set<StoredKey> changed;  // with the threads above them
    for (ImportItem* const item : ParentsFirst(items_)) {
      item->parent_id = ParentIdOf(*item);
      item->id = item->own_id;
      if (const StoredComment* const stored = Find(item->own_id)) {
        if (Deletes(*item->given, *stored)) changed.insert({article_->key, item->own_id});
        continue;
      }
      if (!item->parent_id.empty()) changed.insert({article_->key, item->parent_id});
      if (item->own_id > item->parent_id) continue;
      if (!item->given->comment_id().empty()) {
        item->problems.Add("comment_id", "does not sort after that of the comment it replies to");
      } else {
        item->id = Source(item->given->source_id()).IdAfter(item->parent_id);
        moved.insert({article_->key, item->id});
      }
    }
    comments_.Read(moved);
    comments_.ReadAbove(changed);
  }

  // Returns the id of the comment that the item replies to; empty if there is none.
  std::string ParentIdOf(const ImportItem& item) const {
    if (item.parent != nullptr) return item.parent->is_refused() ? "" : item.parent->id;
    return item.parent_id.empty() || Find(item.parent_id) == nullptr ? "" : item.parent_id;
  }

  Place PlaceOf(const ImportItem& item) const {
    const StoredComment* const parent = item.parent_id.empty() ? nullptr : Find(item.parent_id);
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
  void AddNew() {
    std::vector<ImportItem*> sorted;
    for (ImportItem& item : items_) {
      if (!item.is_refused()) sorted.push_back(&item);
    }
    std::sort(sorted.begin(), sorted.end(),
              [](const ImportItem* a, const ImportItem* b) { return a->id < b->id; });
    for (ImportItem* const item : sorted) {
      if (Find(item->id) != nullptr) continue;
      Place place = PlaceOf(*item);
      v1::Comment message = MessageOf(*item->given, *article_, item->id, place.ancestors);
      Report(*item, v1::COMMENT_IMPORT_OUTCOME_CREATED, place.placement, {});
      comments_.Add(*article_, item->id, std::move(place.ancestors), std::move(message));
      added_.insert(item->id);
    }
  }

  void DeleteOld() {
    for (const ImportItem& item : items_) {
      const StoredComment* const stored = item.is_refused() ? nullptr : Find(item.id);
      if (stored == nullptr || !Deletes(*item.given, *stored)) continue;
      const Place place = PlaceOf(item);
      comments_.Change(*article_, *stored, article_->now,
                       MessageOf(*item.given, *article_, item.id, stored->ancestors));
      Report(item, v1::COMMENT_IMPORT_OUTCOME_DELETED, place.placement, {});
      deleted_.insert(item.id);
    }
  }

  // An import may have the same comment twice: the second is one of the others.
  void JudgeOthers() {
    for (const ImportItem& item : items_) {
      if (item.is_refused()) {
        Report(item, v1::COMMENT_IMPORT_OUTCOME_REFUSED, v1::THREAD_PLACEMENT_UNSPECIFIED,
               item.problems);
      } else if (item.result->outcome() == v1::COMMENT_IMPORT_OUTCOME_UNSPECIFIED) {
        Judge(item, *Find(item.id));
      }
    }
  }

  void Judge(const ImportItem& item, const StoredComment& stored) const {
    const Place place = PlaceOf(item);
    if (tried_.contains(item.id)) {
      return Report(item, v1::COMMENT_IMPORT_OUTCOME_CREATED, place.placement, {});
    }
    const Violations differences = DifferencesBetween(*item.given, place, stored);
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
    if (!item.is_refused()) result.set_name(CommentName(article_->name, item.id));
    for (const Violations::Field& field : problems.fields()) {
      v1::CommentImportProblem& problem = *result.add_problems();
      problem.set_field(field.path);
      problem.set_description(field.description);
    }
  }

  // An import that changes nothing commits the lock all the same: what it has found may be
  // committed on this host only, and this commit waits for a standby.
  void Commit() {
    if (article_->changed) {
      AuditEvent event = EventAbout(*article_, v1::AUDIT_ACTION_IMPORT_COMMENTS);
      event.item_count = static_cast<int64_t>(added_.size() + deleted_.size());
      AuditLog audit(transaction_);
      audit.Add(caller_, event);
      comments_.Write();
      audit.Write();
      WriteCounters(transaction_, {&*article_});
      tried_.merge(added_);
    }
    transaction_.Commit();
  }

  postgres::Transaction transaction_;
  ArticleNames& names_;
  const Caller* const caller_;
  const CommentImport& import_;
  std::set<std::string>& tried_;
  std::optional<LockedArticle> article_;
  CommentTree comments_{transaction_};
  std::vector<ImportItem> items_;
  std::set<std::string> added_;
  std::set<std::string> deleted_;
  v1::ImportCommentsResponse response_;
};

}  // namespace

absl::StatusOr<v1::ImportCommentsResponse> ImportComments(postgres::Connection& connection,
                                                          ArticleNames& names, const Caller* caller,
                                                          const CommentImport& import,
                                                          std::set<std::string>& tried,
                                                          const Announce& announce) {
  return Importer(connection, names, caller, import, tried).Run(announce);
}

}  // namespace content::store
