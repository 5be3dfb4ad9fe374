#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/await.h"
#include "base/digest.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "content/store.h"
#include "content/uuid.h"
#include "store/postgres_store.h"
#include "support/database.h"

namespace content::store {

/// A valid article with all fields that the service fills in.
inline v1::Article MakeArticle(const std::string& id, const std::string& body = "Some text.") {
  v1::Article article;
  article.set_name(ArticleName(id));
  article.set_title(absl::StrCat("About ", id));
  article.set_body(body);
  EXPECT_TRUE(CompleteArticle("article", article).ok());
  return article;
}

/// An article without a name that differs from MakeArticle in every field that a publisher sets.
inline v1::Article MakeOtherArticle() {
  v1::Article article;
  article.set_title("Another title");
  article.add_authors()->set_display_name("Ana");
  article.mutable_publish_time()->set_seconds(1'600'000'000);
  article.set_language_code("pt-BR");
  article.set_summary("A summary.");
  article.set_body("# One\n\nOther words.\n\n# Two\n\nMore.");
  article.add_tags("sea");
  article.set_source_uri("https://example.com/");
  article.set_comment_policy(v1::COMMENT_POLICY_PREMODERATED);
  return article;
}

/// The fingerprint that the service makes of a request with this text.
inline std::string Fingerprint(const NewComment& comment) {
  return absl::BytesToHexString(Digest({comment.body}));
}

/// The comment's name, or the error as text.
inline std::string NameOf(const absl::StatusOr<v1::Comment>& comment) {
  return comment.ok() ? comment->name() : comment.status().ToString();
}

/// The SQL condition that a row of any table belongs to the article with this name.
inline std::string OfArticle(const std::string& name) {
  return absl::StrCat("article_key = (SELECT article_key FROM article_name WHERE name = '", name,
                      "')");
}

/// A store on a new database, and short ways to call it that wait for the answer.
class StoreTest : public ::testing::Test {
 protected:
  static absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& url) {
    return NewPostgresStore({.url = url});
  }

  absl::StatusOr<PublishedArticle> Publish(v1::Article article, PublishOptions options = {}) {
    return Await<PublishedArticle>([&](auto done) {
      store_->PublishArticle({}, std::move(article), options, std::move(done));
    });
  }

  using Articles = std::vector<std::optional<v1::Article>>;

  absl::StatusOr<std::optional<EncodedArticle>> Read(const std::string& id,
                                                     v1::ArticleView view = v1::ARTICLE_VIEW_FULL) {
    return Await<std::optional<EncodedArticle>>(
        [&](auto done) { store_->ReadArticle({}, id, view, std::move(done)); });
  }

  /// The article as a client parses it.
  static v1::Article Decode(const EncodedArticle& encoded, v1::ArticleView view) {
    v1::Article article;
    const bool full = view == v1::ARTICLE_VIEW_FULL;
    const size_t size = full ? encoded.text->size() : encoded.basic_size;
    EXPECT_TRUE(article.ParseFromString(encoded.text->substr(0, size)));
    article.set_comment_count(encoded.state.comment_count);
    article.set_revision(encoded.state.revision);
    return article;
  }

  absl::StatusOr<Articles> Get(const std::vector<std::string>& ids,
                               v1::ArticleView view = v1::ARTICLE_VIEW_FULL) {
    Articles articles;
    for (const std::string& id : ids) {
      const auto encoded = Read(id, view);
      if (!encoded.ok()) return encoded.status();
      articles.push_back(*encoded ? std::optional(Decode(**encoded, view)) : std::nullopt);
    }
    return articles;
  }

  bool Exists(const std::string& id) { return Get({id})->front().has_value(); }

  v1::Article GetOne(const std::string& id) {
    auto articles = Get({id});
    if (!articles.ok() || !articles->front()) {
      ADD_FAILURE() << "no article " << id << ": " << articles.status();
      return {};
    }
    return *articles->front();
  }

  absl::StatusOr<v1::Article> Edit(ArticleEdit edit) {
    return Await<v1::Article>(
        [&](auto done) { store_->UpdateArticle({}, std::move(edit), std::move(done)); });
  }

  absl::StatusOr<v1::Article> Rename(ArticleRename renaming) {
    return Await<v1::Article>(
        [&](auto done) { store_->RenameArticle({}, std::move(renaming), std::move(done)); });
  }

  absl::StatusOr<int64_t> Retract(const std::string& id, const std::string& etag = "") {
    return Await<int64_t>(
        [&](auto done) { store_->RetractArticle({}, {.id = id, .etag = etag}, std::move(done)); });
  }

  absl::StatusOr<InspectedArticle> Inspect(const std::string& id) {
    return Await<InspectedArticle>(
        [&](auto done) { store_->InspectArticle({}, id, std::move(done)); });
  }

  static NewComment MakeComment(const std::string& article_id, const std::string& body,
                                const std::string& reply_to_name = "") {
    NewComment comment;
    comment.article_id = article_id;
    if (!reply_to_name.empty()) comment.reply_to = *ParseCommentName(reply_to_name);
    comment.author.set_id("user-1");
    comment.author.set_display_name("A Reader");
    comment.body = body;
    return comment;
  }

  absl::StatusOr<v1::Comment> Create(NewComment comment) {
    return Await<v1::Comment>(
        [&](auto done) { store_->CreateComment({}, std::move(comment), std::move(done)); });
  }

  std::string Add(const std::string& article_id, const std::string& body,
                  const std::string& reply_to_name = "") {
    return NameOf(Create(MakeComment(article_id, body, reply_to_name)));
  }

  /// Shows the scheduled articles whose time has come, as a server does.
  void ReleaseDueArticles() {
    absl::StatusOr<absl::Duration> due_in = absl::ZeroDuration();
    while (due_in.ok() && *due_in == absl::ZeroDuration()) {
      due_in = Await<absl::Duration>(
          [&](auto done) { store_->ReleaseNextArticle({}, std::move(done)); });
    }
    EXPECT_TRUE(due_in.ok()) << due_in.status();
  }

  absl::StatusOr<v1::Comment> Update(CommentEdit edit) {
    return Await<v1::Comment>(
        [&](auto done) { store_->UpdateComment({}, std::move(edit), std::move(done)); });
  }

  absl::StatusOr<int64_t> Delete(CommentDeletion deletion) {
    return Await<int64_t>(
        [&](auto done) { store_->DeleteComment({}, std::move(deletion), std::move(done)); });
  }

  absl::StatusOr<int64_t> Delete(const std::string& name) {
    return Delete({.comment = *ParseCommentName(name)});
  }

  absl::StatusOr<v1::Comment> Moderate(const std::string& name, v1::CommentState state,
                                       const std::string& etag = "") {
    return Await<v1::Comment>([&](auto done) {
      store_->ModerateComment(
          {}, {.comment = *ParseCommentName(name), .state = state, .etag = etag}, std::move(done));
    });
  }

  absl::StatusOr<v1::Comment> InspectComment(const std::string& name) {
    return Await<v1::Comment>(
        [&](auto done) { store_->InspectComment({}, *ParseCommentName(name), std::move(done)); });
  }

  absl::StatusOr<v1::Comment> GetComment(const std::string& name, int64_t min_revision = 0) {
    return Await<v1::Comment>([&](auto done) {
      store_->GetComment({}, *ParseCommentName(name), min_revision, std::move(done));
    });
  }

  /// The article of a page, as a client parses it.
  static v1::Article ArticleOf(const ArticlePage& page) {
    return Decode(page.article, v1::ARTICLE_VIEW_FULL);
  }

  absl::StatusOr<ArticlePage> GetPage(CommentQuery query,
                                      v1::ArticleView view = v1::ARTICLE_VIEW_FULL) {
    return Await<ArticlePage>(
        [&](auto done) { store_->GetArticlePage({}, view, std::move(query), std::move(done)); });
  }

  absl::StatusOr<Page<v1::SearchResult>> Search(SearchQuery query) {
    return Await<Page<v1::SearchResult>>(
        [&](auto done) { store_->SearchArticles({}, std::move(query), std::move(done)); });
  }

  absl::StatusOr<Page<v1::Comment>> ModerationQueue(ModerationQuery query) {
    return Await<Page<v1::Comment>>(
        [&](auto done) { store_->ListModerationQueue({}, std::move(query), std::move(done)); });
  }

  absl::StatusOr<Page<v1::Comment>> Export(const std::string& author_id,
                                           const std::string& after_key = "") {
    return Await<Page<v1::Comment>>(
        [&](auto done) { store_->ExportAuthor({}, author_id, after_key, std::move(done)); });
  }

  absl::StatusOr<ErasedComments> Erase(const std::string& author_id) {
    return Await<ErasedComments>(
        [&](auto done) { store_->EraseAuthor({}, {author_id}, std::move(done)); });
  }

  absl::StatusOr<VerifiedCounters> Verify(VerifyQuery query) {
    return Await<VerifiedCounters>(
        [&](auto done) { store_->VerifyCounters({}, std::move(query), std::move(done)); });
  }

  absl::StatusOr<CommentPage> List(CommentQuery query) {
    return Await<CommentPage>(
        [&](auto done) { store_->ListComments({}, std::move(query), std::move(done)); });
  }

  /// Bodies of all comments, over all pages.
  std::vector<std::string> ListBodies(CommentQuery query) {
    std::vector<std::string> bodies;
    do {
      auto result = List(query);
      if (!result.ok()) {
        ADD_FAILURE() << result.status();
        return bodies;
      }
      EXPECT_LE(result->page.items.size(), static_cast<size_t>(query.page_size));
      for (const auto& comment : result->page.items) bodies.push_back(comment.body());
      query.after_key = result->page.next_key;
    } while (!query.after_key.empty());
    return bodies;
  }

  /// Titles of all articles, over all pages.
  std::vector<std::string> ListTitles(ArticleQuery query) {
    std::vector<std::string> titles;
    do {
      auto page = Await<Page<v1::Article>>(
          [&](auto done) { store_->ListArticles({}, query, std::move(done)); });
      if (!page.ok()) {
        ADD_FAILURE() << page.status();
        return titles;
      }
      for (const auto& article : page->items) titles.push_back(article.title());
      query.after_key = page->next_key;
    } while (!query.after_key.empty());
    return titles;
  }

  /// Runs SQL and returns the first column of the first row.
  std::string Sql(const std::string& statement) { return testing::Query(url_, statement); }

  std::string url_ = testing::NewDatabase();
  std::unique_ptr<Store> store_ = *Open(url_);
};

}  // namespace content::store
