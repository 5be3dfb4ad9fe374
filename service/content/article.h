#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "content/comment.h"
#include "content/page.h"
#include "content/request_key.h"
#include "content/v1/admin_service.pb.h"
#include "content/v1/article.pb.h"
#include "content/v1/content_service.pb.h"

// What is read and written of articles. (Members are initialised with {} where designated
// initialisers would otherwise cause warnings.)
namespace content {

/// Immutable bytes that are shared, never copied.
using SharedBytes = std::shared_ptr<const std::string>;

/// What changes with every write to an article or to one of its comments.
struct ArticleState {
  /// The key of the article in every table: the first name it had.
  std::string article_id = {};
  int64_t revision = 0;
  int64_t comment_count = 0;
  /// Changes with every write to the article itself, but not with comments. Two states with the
  /// same version have the same text.
  int64_t version = 0;
};

/// An article in two pieces which, sent one after the other, are a v1::Article on the wire
/// (https://protobuf.dev/programming-guides/encoding/#order: fields come in any order). The text
/// is large and rarely changes; `comment_count` and `revision` change often.
struct EncodedArticle {
  ArticleState state;
  /// Every field but `comment_count` and `revision`. The fields of the BASIC view come first.
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
  /// Filters. An empty or infinite one matches every article.
  std::string author = {};
  std::string tag = {};
  absl::Time published_after = absl::InfinitePast();
  absl::Time published_before = absl::InfiniteFuture();
  int page_size = 0;
  /// `next_key` of the previous page; empty for the first page.
  std::string after_key = {};
};

struct SearchQuery {
  /// In the syntax of websearch_to_tsquery, which accepts any text:
  /// https://www.postgresql.org/docs/current/textsearch-controls.html
  std::string text = {};
  /// First subtag of a BCP 47 tag in lower case; empty: every language.
  std::string language = {};
  int page_size = 0;
  std::string after_key = {};
};

struct PublishOptions {
  /// If false, an existing article with other content is ALREADY_EXISTS.
  bool may_replace = true;
  /// Change nothing. The answer is the article as it would be, without an outcome.
  bool validate_only = false;
  RequestKey request = {};
};

struct PublishedArticle {
  v1::Article article;
  v1::PublishOutcome outcome = v1::PUBLISH_OUTCOME_UNSPECIFIED;
};

struct ArticleEdit {
  std::string id = {};
  /// The source of the fields that `paths` name (MergeArticle in rules.h).
  v1::Article article;
  std::vector<std::string> paths = {};
  RequestKey request = {};
  bool validate_only = false;
};

struct ArticleRenaming {
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
