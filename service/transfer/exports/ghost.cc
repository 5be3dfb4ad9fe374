#include "transfer/exports/ghost.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "content/names.h"
#include "transfer/dates.h"
#include "transfer/exports/export_file.h"
#include "transfer/exports/ghost_body.h"
#include "transfer/exports/json_items.h"
#include "transfer/html/to_markdown.h"
#include "transfer/ids.h"
#include "transfer/web_address.h"

namespace content::transfer {
namespace {

// An export is a copy of tables. One whose other tables have more rows is not read: they are kept
// in memory.
constexpr size_t kMaxRows = 1'000'000;

// What one table says about the rows of another, in order.
class GhostRelation {
 public:
  void Add(std::string from, std::string to, int64_t order) {
    std::vector<std::pair<int64_t, std::string>>& ordered = links_[std::move(from)];
    const auto place = std::upper_bound(ordered.begin(), ordered.end(), order,
                                        [](int64_t a, const auto& b) { return a < b.first; });
    ordered.insert(place, {order, std::move(to)});
  }

  std::vector<std::string> Of(const std::string& id) const {
    std::vector<std::string> ids;
    const auto found = links_.find(id);
    if (found == links_.end()) return ids;
    for (const auto& [order, to] : found->second) ids.push_back(to);
    return ids;
  }

 private:
  absl::flat_hash_map<std::string, std::vector<std::pair<int64_t, std::string>>> links_;
};

struct GhostUser {
  std::string name;
  std::string website;
};

// About the picture and the summary of a post.
struct GhostMeta {
  std::string image_alt;
  std::string image_caption;
  std::string description;
};

// The tables beside that of the posts.
struct GhostTables {
  absl::flat_hash_map<std::string, GhostUser> users;
  absl::flat_hash_map<std::string, std::string> tags;  // those that readers see
  absl::flat_hash_map<std::string, GhostMeta> metas;   // by post
  GhostRelation authors_of_posts;
  GhostRelation tags_of_posts;
  size_t rows = 0;
};

int64_t IntegerOfRow(const JsonValue& row, absl::string_view key) {
  const std::string name(key);
  return row.contains(name) && row[name].is_number_integer() ? row[name].get<int64_t>() : 0;
}

void AddGhostRow(absl::string_view table, const JsonValue& row, GhostTables& tables) {
  const std::string id = IdIn(row, "id");
  if (table == "users") {
    tables.users[id] = {TextIn(row, "name"), TextIn(row, "website")};
  } else if (table == "tags") {
    const std::string name = TextIn(row, "name");
    const bool is_internal = absl::StartsWith(name, "#") || TextIn(row, "visibility") == "internal";
    if (!is_internal) tables.tags[id] = name;
  } else if (table == "posts_meta") {
    tables.metas[IdIn(row, "post_id")] = {TextIn(row, "feature_image_alt"),
                                          TextIn(row, "feature_image_caption"),
                                          TextIn(row, "meta_description")};
  } else {
    const bool is_author = table == "posts_authors";
    GhostRelation& relation = is_author ? tables.authors_of_posts : tables.tags_of_posts;
    relation.Add(IdIn(row, "post_id"), IdIn(row, is_author ? "author_id" : "tag_id"),
                 IntegerOfRow(row, "sort_order"));
  }
}

// Returns the table that a value is a row of, or is itself if `is_row` is false; empty if it is
// neither. Tables are in `data`, which may be in the first element of `db`.
absl::string_view GhostTable(const JsonPath& path, bool is_row) {
  const size_t depth = is_row ? 3 : 2;
  size_t first = 0;
  if (path.size() == depth + 2 && path[0] == "db" && path[1].empty()) first = 2;
  if (path.size() != first + depth || path[first] != "data") return "";
  return !is_row || path[first + 2].empty() ? absl::string_view(path[first + 1]) : "";
}

bool IsKeptInMemory(absl::string_view table) {
  return table == "users" || table == "tags" || table == "posts_meta" || table == "posts_authors" ||
         table == "posts_tags";
}

absl::Status ReadGhostTables(ExportFile& file, GhostTables& tables) {
  bool has_posts = false;
  const auto use = [&has_posts](const JsonPath& path) {
    has_posts = has_posts || GhostTable(path, /*is_row=*/false) == "posts";
    return IsKeptInMemory(GhostTable(path, /*is_row=*/true)) ? JsonUse::kItem : JsonUse::kPart;
  };
  const auto take = [&tables](const JsonItem& item) {
    AddGhostRow(GhostTable(item.path, /*is_row=*/true), item.value, tables);
    return ++tables.rows <= kMaxRows;
  };
  absl::Status status = ReadJsonItems(file, use, take);
  if (tables.rows > kMaxRows) {
    return absl::InvalidArgumentError(
        absl::StrCat("has more than ", kMaxRows, " rows in tables other than posts"));
  }
  if (status.ok() && !has_posts) return absl::InvalidArgumentError("has no table of posts");
  return status;
}

bool IsGhostPage(const JsonValue& post) {
  return TextIn(post, "type") == "page" || IsTrueIn(post, "page");
}

// Returns why a post is not public; empty if it is.
std::string WhyNotPublic(const JsonValue& post) {
  const std::string status = TextIn(post, "status");
  const std::string visibility = TextIn(post, "visibility");
  if (status == "draft") return "the post is a draft";
  if (status == "scheduled") return "the post is scheduled";
  if (status == "sent" || TextIn(post, "type") == "email")
    return "the post was only sent by e-mail";
  if (status != "published") return "the post does not say that it was published";
  if (visibility == "public" || visibility.empty()) return "";
  return "the post is for members only";
}

// Older versions write milliseconds.
std::optional<absl::Time> GhostTime(const JsonValue& post, absl::string_view key) {
  if (const int64_t milliseconds = IntegerOfRow(post, key); milliseconds > 0) {
    return absl::FromUnixMillis(milliseconds);
  }
  return ParseDate(TextIn(post, key));
}

// An address of another site; the empty text if it is none.
std::string AbsoluteAddress(absl::string_view text) {
  std::string address = LinkAddress(text);
  return IsWebAddress(address) ? address : "";
}

std::string PictureHtml(const JsonValue& post, const GhostMeta& meta) {
  const bool is_hidden = post.contains("show_title_and_feature_image") &&
                         !IsTrueIn(post, "show_title_and_feature_image");
  // "image" before version 1.
  std::string address = TextIn(post, "feature_image");
  if (address.empty()) address = TextIn(post, "image");
  return is_hidden || address.empty() ? ""
                                      : GhostImageHtml(address, meta.image_alt, meta.image_caption);
}

void AddGhostAuthor(const std::string& id, const GhostTables& tables, v1::Article& article) {
  const auto user = tables.users.find(id);
  if (user == tables.users.end()) return;
  v1::Author& author = *article.add_authors();
  author.set_display_name(user->second.name);
  author.set_uri(AbsoluteAddress(user->second.website));
}

void AddGhostAuthorsAndTags(const JsonValue& post, const GhostTables& tables,
                            v1::Article& article) {
  const std::string id = IdIn(post, "id");
  for (const std::string& author : tables.authors_of_posts.Of(id)) {
    AddGhostAuthor(author, tables, article);
  }
  if (article.authors().empty()) AddGhostAuthor(IdIn(post, "author_id"), tables, article);
  for (const std::string& tag : tables.tags_of_posts.Of(id)) {
    const auto found = tables.tags.find(tag);
    if (found != tables.tags.end()) article.add_tags(found->second);
  }
}

ExportedArticle GhostArticle(const JsonValue& post, const GhostTables& tables) {
  ExportedArticle exported;
  v1::Article& article = exported.file.article;
  const std::string slug = TextIn(post, "slug");
  exported.label =
      absl::StrCat(IsGhostPage(post) ? "page " : "post ", slug.empty() ? IdIn(post, "id") : slug);
  exported.file.draft = WhyNotPublic(post);
  const auto found = tables.metas.find(IdIn(post, "id"));
  const GhostMeta meta = found != tables.metas.end() ? found->second : GhostMeta();

  article.set_title(TextIn(post, "title"));
  if (const std::string id = IdFromAddress(slug); !id.empty()) article.set_name(ArticleName(id));
  article.set_language_code(TextIn(post, "locale"));
  article.set_source_uri(AbsoluteAddress(TextIn(post, "canonical_url")));
  for (const std::string& summary :
       {TextIn(post, "custom_excerpt"), TextIn(post, "meta_description"), meta.description}) {
    if (article.summary().empty()) article.set_summary(summary);
  }
  for (const char* const key : {"published_at", "created_at"}) {
    const std::optional<absl::Time> time = GhostTime(post, key);
    if (time && !article.has_publish_time()) *article.mutable_publish_time() = ToTimestamp(*time);
  }
  if (!article.has_publish_time()) {
    exported.file.notes.emplace_back("it has no date that can be read");
  }
  exported.file.update_time = GhostTime(post, "updated_at");
  AddGhostAuthorsAndTags(post, tables, article);
  if (exported.file.draft.empty()) {
    article.set_body(HtmlToMarkdown(absl::StrCat(PictureHtml(post, meta), GhostBodyHtml(post)),
                                    exported.file.notes));
  }
  if (!slug.empty()) exported.addresses.push_back(absl::StrCat("/", slug, "/"));
  if (!article.source_uri().empty()) exported.addresses.push_back(article.source_uri());
  return exported;
}

}  // namespace

bool BeginsLikeGhost(absl::string_view head) {
  return BeginsWithJson(head, [](const JsonPath& path) {
    if (path.size() == 4 && path[0] == "db") return path[2] == "data" || path[2] == "meta";
    return StandsAt(path, {"meta", "exported_on"}) || StandsAt(path, {"data", "posts"});
  });
}

absl::Status ReadGhost(ExportFile& file, ExportSink& sink) {
  // Posts come first, and need the tables that follow.
  GhostTables tables;
  if (absl::Status status = ReadGhostTables(file, tables); !status.ok()) return status;
  file.Rewind();
  const auto use = [](const JsonPath& path) {
    return GhostTable(path, /*is_row=*/true) == "posts" ? JsonUse::kItem : JsonUse::kPart;
  };
  const auto take = [&](const JsonItem& item) {
    if (item.is_too_large) return sink.Refuse(ItemKind::kArticle, "a post", "is too large");
    return sink.Take(GhostArticle(item.value, tables));
  };
  return ReadJsonItems(file, use, take);
}

}  // namespace content::transfer
