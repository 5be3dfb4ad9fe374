#include "store/comments/batch.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "content/errors.h"
#include "content/names.h"
#include "store/comments/comment_tree.h"
#include "store/request_log.h"

namespace content::store {
namespace {

// A write and its article, which is locked.
struct Item {
  CommentChange* change;
  LockedArticle* article;
  CommentAnswer* answer;
};

std::vector<std::string> NamesOf(const std::vector<CommentChange*>& changes) {
  std::vector<std::string> names;
  for (const CommentChange* change : changes) {
    const std::string& name = ArticleOf(*change);
    if (names.empty() || names.back() != name) names.push_back(name);
  }
  return names;
}

class CommentBatch {
 public:
  CommentBatch(postgres::Connection& connection, const std::vector<CommentChange*>& changes,
               postgres::WriteMode mode)
      : transaction_(connection), changes_(changes), mode_(mode), answers_(changes.size()) {}

  std::vector<CommentAnswer> Run(const Announce& announce) {
    Lock();
    ReadParentArticles();
    ReadRequests();
    ReadComments();
    Apply();
    std::vector<ChangeNotice> notices = Notices();  // nothing may fail after the commit
    Commit();
    if (!notices.empty()) announce(std::move(notices));
    return std::move(answers_);
  }

 private:
  void Lock() {
    const LockWait wait = mode_.skip_locked ? LockWait::kSkip : LockWait::kWait;
    const auto named = LockArticles(transaction_, NamesOf(changes_), wait);
    for (const auto& [name, article] : named) {
      if (article) articles_.try_emplace(article->id, *article);
    }
    for (size_t i = 0; i < changes_.size(); ++i) {
      const auto found = named.find(ArticleOf(*changes_[i]));
      if (found == named.end()) {
        answers_[i] = ArticleNotFound(ArticleName(ArticleOf(*changes_[i])));
      } else if (found->second) {
        items_.push_back({changes_[i], &articles_.at(found->second->id), &answers_[i]});
      }
    }
  }

  // Replies may name their parent's article by another name than their own. After the lock, because
  // until then the article may be renamed.
  void ReadParentArticles() {
    std::vector<std::string> names;
    for (const Item& item : items_) {
      if (NamesOtherArticle(item)) names.push_back(ParentArticleOf(item));
    }
    if (!names.empty()) parent_articles_ = ReadArticleKeys(transaction_, names);
  }

  // Returns the article in the name of the comment that is replied to; empty if there is none.
  static std::string ParentArticleOf(const Item& item) {
    const auto* const added = std::get_if<NewComment>(item.change);
    return added == nullptr ? "" : added->reply_to.article_id;
  }

  static bool NamesOtherArticle(const Item& item) {
    const std::string parent_article = ParentArticleOf(item);
    return !parent_article.empty() && parent_article != ArticleOf(*item.change);
  }

  bool RepliesHere(const Item& item) const {
    if (!NamesOtherArticle(item)) return true;
    const auto key = parent_articles_.find(ParentArticleOf(item));
    return key != parent_articles_.end() && key->second == item.article->id;
  }

  void ReadRequests() {
    std::vector<RequestLog::Key> keys;
    for (const Item& item : items_) {
      const RequestKey& request = RequestOf(*item.change);
      // An id without a fingerprint was created for this write, so only another attempt can have
      // used it.
      const bool may_exist = mode_.in_doubt || !request.fingerprint.empty();
      if (may_exist && !request.id.empty()) keys.push_back({item.article->id, request.id});
    }
    requests_.Read(keys);
  }

  void ReadComments() {
    std::set<StoredKey> keys;
    std::set<StoredKey> below_others;
    for (const Item& item : items_) {
      for (const std::string& comment_id : CommentsOf(item)) {
        keys.insert({item.article->id, comment_id});
      }
      if (MayShowOrHide(*item.change, *item.article)) {
        below_others.insert({item.article->id, TargetOf(*item.change)});
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
    const auto past = requests_.Find(item.article->id, RequestOf(*item.change));
    if (past.ok() && *past) add((*past)->comment_id);
    const auto* added = std::get_if<NewComment>(item.change);
    if (mode_.in_doubt && added != nullptr) add(added->comment_id);
    return ids;
  }

  // Applies the writes in memory.
  void Apply() {
    for (const Item& item : items_) {
      *item.answer = WriteComment({.article = *item.article,
                                   .comments = comments_,
                                   .requests = requests_,
                                   .now = item.article->now,
                                   .replies_here = RepliesHere(item),
                                   .in_doubt = mode_.in_doubt},
                                  *item.change);
    }
  }

  void Commit() {
    std::vector<const LockedArticle*> changed;
    for (const auto& [id, article] : articles_) {
      if (article.changed) changed.push_back(&article);
    }
    if (changed.empty() && !requests_.has_callers_records()) return;
    comments_.Write();
    requests_.Write();
    WriteCounters(transaction_, changed);
    transaction_.Commit();
  }

  // Returns one notice per article that was written to, by this attempt or by an earlier one.
  std::vector<ChangeNotice> Notices() const {
    std::map<std::string, ChangeNotice> by_article;
    for (const Item& item : items_) {
      if (item.answer->value().ok() && !IsDryRun(*item.change)) {
        by_article.try_emplace(item.article->id, NoticeOf(*item.article));
      }
    }
    std::vector<ChangeNotice> notices;
    for (auto& [id, notice] : by_article) notices.push_back(std::move(notice));
    return notices;
  }

  postgres::Transaction transaction_;
  const std::vector<CommentChange*>& changes_;
  const postgres::WriteMode mode_;
  std::map<std::string, LockedArticle> articles_;       // by key
  std::map<std::string, std::string> parent_articles_;  // keys by name
  std::vector<CommentAnswer> answers_;
  std::vector<Item> items_;
  RequestLog requests_{transaction_};
  CommentTree comments_{transaction_};
};

}  // namespace

std::vector<CommentAnswer> WriteComments(postgres::Connection& connection,
                                         const std::vector<CommentChange*>& changes,
                                         postgres::WriteMode mode, const Announce& announce) {
  return CommentBatch(connection, changes, mode).Run(announce);
}

}  // namespace content::store
