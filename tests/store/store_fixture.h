#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "content/digest.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "content/store.h"
#include "store/postgres_store.h"
#include "support/database.h"

namespace content::store {

/// Calls a method of the store and waits for its answer.
template <class T, class Method>
absl::StatusOr<T> Await(Method method) {
  std::promise<absl::StatusOr<T>> answer;
  method(Callback<T>([&answer](absl::StatusOr<T> value) { answer.set_value(std::move(value)); }));
  return answer.get_future().get();
}

/// A valid article, complete.
inline v1::Article MakeArticle(const std::string& id, const std::string& body = "Some text.") {
  v1::Article article;
  article.set_name(ArticleName(id));
  article.set_title(absl::StrCat("About ", id));
  article.set_body(body);
  EXPECT_TRUE(CompleteArticle("article", article).ok());
  return article;
}

/// As the service makes it of a request with this text.
inline std::string Fingerprint(const NewComment& comment) {
  return absl::BytesToHexString(Digest({comment.body}));
}

/// Its name, or the error as text.
inline std::string NameOf(const absl::StatusOr<v1::Comment>& comment) {
  return comment.ok() ? comment->name() : comment.status().ToString();
}

/// A store on a new database of its own, and short ways to call it.
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

  absl::StatusOr<Articles> Get(std::vector<std::string> ids,
                               v1::ArticleView view = v1::ARTICLE_VIEW_FULL) {
    return Await<Articles>(
        [&](auto done) { store_->GetArticles({}, std::move(ids), view, std::move(done)); });
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

  absl::StatusOr<int64_t> Retract(const std::string& id, const std::string& etag = "") {
    return Await<int64_t>(
        [&](auto done) { store_->RetractArticle({}, {.id = id, .etag = etag}, std::move(done)); });
  }

  static NewComment MakeComment(const std::string& article_id, const std::string& body,
                                const std::string& reply_to_name = "") {
    NewComment comment;
    comment.article_id = article_id;
    comment.create_time = absl::Now();
    comment.comment_id = NewCommentId(comment.create_time);
    if (!reply_to_name.empty()) comment.reply_to_id = ParseCommentName(reply_to_name)->comment_id;
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

  absl::StatusOr<CommentPage> List(CommentQuery query) {
    return Await<CommentPage>(
        [&](auto done) { store_->ListComments({}, std::move(query), std::move(done)); });
  }

  /// Bodies of all comments, read page by page.
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

  const std::string url_ = testing::NewDatabase();
  std::unique_ptr<Store> store_ = *Open(url_);
};

}  // namespace content::store
