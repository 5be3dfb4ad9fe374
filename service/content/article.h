#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "content/comment.h"
#include "content/page.h"
#include "content/request_key.h"
#include "content/v1/admin_service.pb.h"
#include "content/v1/article.pb.h"
#include "content/v1/content_service.pb.h"

// Types for reading and writing articles. (Some members have the initialiser {} only because
// designated initialisers that omit them would otherwise cause warnings.)
namespace content {

/// Immutable bytes that are shared, never copied.
using SharedBytes = std::shared_ptr<const std::string>;

/// The part of an article that changes with every write to it or to one of its comments.
struct ArticleState {
  /// The first name that the article had, which never changes. Caches and notices know it by this.
  std::string article_id = {};
  int64_t revision = 0;
  int64_t comment_count = 0;
  /// Changes with every write to the article itself, but not with comments. Two states with the
  /// same version have the same text.
  int64_t version = 0;
};

/// Returns whether `state` is older than `other` of the same article. Most changes raise the
/// revision; the release of a scheduled article raises only the version. Takes ArticleStates, or
/// types with the same members.
template <class State, class Other>
bool IsOlder(const State& state, const Other& other) {
  return std::pair(state.revision, state.version) < std::pair(other.revision, other.version);
}

/// An article in two pieces. Sent one after the other, they form a v1::Article on the wire (fields
/// may come in any order: https://protobuf.dev/programming-guides/encoding/#order). The text is
/// large and rarely changes; `comment_count` and `revision` change often.
struct EncodedArticle {
  ArticleState state;
  /// Every field except `comment_count` and `revision`. The fields of the BASIC view come first.
  SharedBytes text;
  /// Number of bytes of `text` that make up the BASIC view.
  size_t basic_size = 0;
  /// Whether the fields of the FULL view follow.
  bool full = false;
};

/// An article and the first page of its comments, as of one moment.
struct ArticlePage {
  EncodedArticle article;
  Page<v1::Comment> comments;
};

struct ArticleQuery {
  v1::ArticleOrder order = v1::ARTICLE_ORDER_NEWEST;
  v1::ArticleView view = v1::ARTICLE_VIEW_BASIC;
  /// Filters. An empty string or an infinite time matches every article.
  std::string author = {};
  std::string tag = {};
  absl::Time published_after = absl::InfinitePast();
  absl::Time published_before = absl::InfiniteFuture();
  int page_size = 0;
  /// `next_key` of the previous page; empty for the first page.
  std::string after_key = {};
};

struct SearchQuery {
  /// See SearchArticlesRequest.query.
  std::string text = {};
  /// First subtag of a BCP 47 tag, in lower case; empty for every language.
  std::string language = {};
  int page_size = 0;
  std::string after_key = {};
};

/// What makes an article that comes from another database of this service the same here.
struct ArticleRestoration {
  /// Its key in the store (StoredArticle), by which lists sort articles of one publish_time. Unless
  /// it is positive and free, the article gets another.
  int64_t key = 0;
  /// Of a new text. One that is still to come counts as now.
  absl::Time update_time = absl::InfiniteFuture();
  bool retracted = false;
};

struct PublishOptions {
  /// If false, the call fails with ALREADY_EXISTS when the article exists with different content.
  bool may_replace = true;
  /// If true, nothing is changed. The answer is the article as it would be, without an outcome.
  bool validate_only = false;
  /// Whether `contentd import` publishes the article. Then it must be complete (CompleteArticle)
  /// already; a retracted article counts as one with different content, and even `may_replace` does
  /// not bring it back; and if an attempt whose outcome is unknown is repeated, what it has done
  /// may be reported as unchanged.
  bool imported = false;
  /// Ids that shall lead to the article too, as if it had been renamed: at most kMaxFormerNames,
  /// with those it has. One that another article has or had stays there, and is no error.
  std::vector<std::string> former_names = {};
  /// If set, the article is published, or is retracted, as it was elsewhere.
  std::optional<ArticleRestoration> restoration = {};
  RequestKey request = {};
};

struct PublishedArticle {
  v1::Article article;
  v1::PublishOutcome outcome = v1::PUBLISH_OUTCOME_UNSPECIFIED;
  /// The former names that lead to other articles, sorted.
  std::vector<std::string> names_of_others = {};
};

struct ArticleEdit {
  std::string id = {};
  /// Holds the new values of the fields named by `paths` (see MergeArticle in rules.h).
  v1::Article article;
  std::vector<std::string> paths = {};
  RequestKey request = {};
  bool validate_only = false;
};

struct ArticleRename {
  std::string id = {};
  std::string new_id = {};
  std::string etag = {};
  RequestKey request = {};
};

struct ArticleRetraction {
  std::string id = {};
  std::string etag = {};
  RequestKey request = {};
};

struct InspectedArticle {
  v1::Article article;
  bool retracted = false;
  std::vector<std::string> former_names = {};
};

}  // namespace content
