#include "store/comments/batch.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "content/errors.h"
#include "content/names.h"
#include "store/comments/blocks.h"
#include "store/comments/comment_tree.h"
#include "store/comments/reports.h"
#include "store/request_log.h"

namespace content::store {
namespace {

// A write, who makes it, and its article, which is locked.
struct Item {
  CommentChange* change;
  const Caller* caller;
  LockedArticle* article;
  CommentAnswer* answer;
  // Whether the comment that a new one replies to is named as one of this article.
  bool replies_here;
};

// Returns the article in the name of the comment that is replied to; that of the write if there is
// none.
const std::string& ParentArticleOf(const CommentChange& change) {
  const auto* const added = std::get_if<NewComment>(&change);
  const bool replies = added != nullptr && !added->reply_to.article_id.empty();
  return replies ? added->reply_to.article_id : ArticleOf(change);
}

class CommentBatch {
 public:
  CommentBatch(postgres::Connection& connection, ArticleNames& names,
               const std::vector<Called<CommentChange>*>& changes, postgres::WriteMode mode)
      : transaction_(connection),
        names_(names),
        changes_(changes),
        mode_(mode),
        answers_(changes.size()) {}

  std::vector<CommentAnswer> Run(const Announce& announce) {
    FindKeys();
    Lock();
    ReadRequests();
    ReadComments();
    ReadReports();
    ReadBlocks();
    Apply();
    std::vector<ChangeNotice> notices = Notices();  // nothing may fail after the commit
    Commit();
    if (!notices.empty()) announce(std::move(notices));
    return std::move(answers_);
  }

 private:
  // Replies may name their parent's article by another name than their own.
  void FindKeys() {
    std::vector<std::string> names;
    for (const auto* change : changes_) names.push_back(ArticleOf(change->write));
    for (const auto* change : changes_) names.push_back(ParentArticleOf(change->write));
    keys_ = names_.Find(transaction_, names);
  }

  std::optional<ArticleKey> KeyOf(size_t change) const { return keys_[change]; }
  std::optional<ArticleKey> ParentKeyOf(size_t change) const {
    return keys_[changes_.size() + change];
  }

  void Lock() {
    std::vector<ArticleKey> wanted;
    for (size_t i = 0; i < changes_.size(); ++i) {
      if (const auto key = KeyOf(i)) wanted.push_back(*key);
    }
    if (!wanted.empty()) {
      const LockWait wait = mode_.skip_locked ? LockWait::kSkip : LockWait::kWait;
      articles_ = LockArticles(transaction_, wanted, wait);
    }
    for (size_t i = 0; i < changes_.size(); ++i) {
      const auto key = KeyOf(i);
      const auto article = key ? articles_.find(*key) : articles_.end();
      if (article != articles_.end()) {
        items_.push_back({&changes_[i]->write, changes_[i]->caller.get(), &article->second,
                          &answers_[i], ParentKeyOf(i) == key});
      } else if (!key || !mode_.skip_locked) {
        answers_[i] = names_.NotFound(ArticleOf(changes_[i]->write));
      }
    }
  }

  void ReadRequests() {
    std::vector<RequestLog::Key> keys;
    for (const Item& item : items_) {
      const RequestKey& request = RequestOf(*item.change);
      // An id without a fingerprint was created for this write, so only another attempt can have
      // used it.
      const bool may_exist = mode_.in_doubt || !request.fingerprint.empty();
      if (may_exist && !request.id.empty()) keys.push_back({item.article->key, request.id});
    }
    requests_.Read(keys);
  }

  void ReadComments() {
    std::set<StoredKey> keys;
    std::set<StoredKey> below_others;
    for (const Item& item : items_) {
      for (const std::string& comment_id : CommentsOf(item)) {
        keys.insert({item.article->key, comment_id});
      }
      if (MayShowOrHide(*item.change, *item.article)) {
        below_others.insert({item.article->key, TargetOf(*item.change)});
      }
    }
    comments_.Read(keys);
    comments_.ReadAbove(below_others);
  }

  // Returns the ids of the comments that the write reads.
  std::vector<std::string> CommentsOf(const Item& item) const {
    std::vector<std::string> ids;
    const auto add = [&ids](const std::string& id) {
      if (!id.empty()) ids.push_back(id);
    };
    add(TargetOf(*item.change));
    const auto past = requests_.Find(item.article->key, RequestOf(*item.change));
    if (past.ok() && *past) add((*past)->comment_id);
    const auto* added = std::get_if<NewComment>(item.change);
    if (mode_.in_doubt && added != nullptr) add(added->comment_id);
    return ids;
  }

  void ReadReports() {
    std::set<StoredKey> comments;
    std::set<ReportKey> reports;
    for (const Item& item : items_) {
      const StoredKey comment = {item.article->key, TargetOf(*item.change)};
      const auto* const report = std::get_if<CommentReport>(item.change);
      if (report != nullptr) reports.insert({comment, report->reporter_id});
      if (report != nullptr || std::holds_alternative<CommentModeration>(*item.change)) {
        comments.insert(comment);
      }
    }
    reports_.Read(comments, reports);
  }

  // They are not remembered, so that a block holds at once, whichever server took it.
  void ReadBlocks() {
    std::set<std::string> authors;
    for (const Item& item : items_) {
      std::string author = AuthorOf(*item.change, *item.article, comments_);
      if (!author.empty()) authors.insert(std::move(author));
    }
    blocked_ = FindBlocked(transaction_, authors);
  }

  // Applies the writes in memory.
  void Apply() {
    for (const Item& item : items_) {
      *item.answer = WriteComment({.article = *item.article,
                                   .comments = comments_,
                                   .reports = reports_,
                                   .requests = requests_,
                                   .audit = audit_,
                                   .caller = item.caller,
                                   .blocked = blocked_,
                                   .now = item.article->now,
                                   .replies_here = item.replies_here,
                                   .in_doubt = mode_.in_doubt},
                                  *item.change);
    }
  }

  // A write that changes nothing is answered from what an earlier attempt or another caller has
  // committed, perhaps on this host only. So its locks are committed too, which waits for a
  // standby.
  void Commit() {
    if (std::none_of(items_.begin(), items_.end(), IsAcknowledged)) return;
    std::vector<const LockedArticle*> changed;
    for (const auto& [key, article] : articles_) {
      if (article.changed) changed.push_back(&article);
    }
    if (!changed.empty() || reports_.has_changes() || requests_.has_callers_records()) {
      reports_.Write();  // before the comments: deleted ones lose theirs
      comments_.Write();
      audit_.Write();
      requests_.Write();
      WriteCounters(transaction_, changed);
    }
    transaction_.Commit();
  }

  static bool IsAcknowledged(const Item& item) {
    return item.answer->value().ok() && !IsDryRun(*item.change);
  }

  // Readers see nothing of a report that leaves its comment as it is.
  bool MayHaveChangedArticle(const Item& item) const {
    return item.article->changed || mode_.in_doubt ||
           !std::holds_alternative<CommentReport>(*item.change);
  }

  // Returns one notice per article that was written to, by this attempt or by an earlier one.
  std::vector<ChangeNotice> Notices() const {
    std::map<ArticleKey, ChangeNotice> by_article;
    for (const Item& item : items_) {
      if (IsAcknowledged(item) && MayHaveChangedArticle(item)) {
        by_article.try_emplace(item.article->key, NoticeOf(*item.article));
      }
    }
    std::vector<ChangeNotice> notices;
    for (auto& [key, notice] : by_article) notices.push_back(std::move(notice));
    return notices;
  }

  postgres::Transaction transaction_;
  ArticleNames& names_;
  const std::vector<Called<CommentChange>*>& changes_;
  const postgres::WriteMode mode_;
  // Of the articles of the changes, then of those of their parents.
  std::vector<std::optional<ArticleKey>> keys_;
  std::map<ArticleKey, LockedArticle> articles_;
  std::vector<CommentAnswer> answers_;
  std::vector<Item> items_;
  RequestLog requests_{transaction_};
  AuditLog audit_{transaction_};
  CommentTree comments_{transaction_};
  CommentReports reports_{transaction_};
  std::set<std::string> blocked_;
};

}  // namespace

std::vector<CommentAnswer> WriteComments(postgres::Connection& connection, ArticleNames& names,
                                         const std::vector<Called<CommentChange>*>& changes,
                                         postgres::WriteMode mode, const Announce& announce) {
  return CommentBatch(connection, names, changes, mode).Run(announce);
}

}  // namespace content::store
