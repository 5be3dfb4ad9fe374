#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/store_fixture.h"

namespace content::store {

inline constexpr v1::CommentState kVisible = v1::COMMENT_STATE_VISIBLE;
inline constexpr v1::CommentState kPending = v1::COMMENT_STATE_PENDING;
inline constexpr v1::CommentState kHidden = v1::COMMENT_STATE_HIDDEN;
inline constexpr v1::CommentState kDeleted = v1::COMMENT_STATE_DELETED;

/// A store with the article `post`, and short ways to write comments on it and check the result.
class CommentWriteTest : public StoreTest {
 protected:
  void SetUp() override { ASSERT_TRUE(Publish(MakeArticle("post")).ok()); }

  void SetPolicy(v1::CommentPolicy policy) {
    v1::Article article;
    article.set_comment_policy(policy);
    ASSERT_TRUE(Edit({.id = "post", .article = article, .paths = {"comment_policy"}}).ok());
  }

  absl::StatusOr<v1::Comment> Rewrite(const std::string& name, const std::string& body,
                                      const std::string& etag = "") {
    return Update({.comment = *ParseCommentName(name), .body = body, .etag = etag});
  }

  v1::Comment Read(const std::string& name) {
    auto comment = GetComment(name);
    if (!comment.ok()) ADD_FAILURE() << comment.status();
    return comment.ok() ? *comment : v1::Comment();
  }

  bool IsShown(const std::string& name) {
    const auto comment = GetComment(name);
    EXPECT_THAT(ReasonOf(comment.status()), ::testing::AnyOf("", "COMMENT_NOT_FOUND"));
    return comment.ok();
  }

  int64_t CommentCount() { return GetOne("post").comment_count(); }

  // Bodies of the comments that the last write to the article has stamped.
  std::string LastChanged() {
    return Sql(
        "SELECT string_agg(body, ' ' ORDER BY body) FROM comment "
        "WHERE revision = (SELECT revision FROM article_state WHERE name = 'post')");
  }

  // The answers of all reads of the article's comments, as text.
  std::string EverythingReadersGet(const std::vector<std::string>& names) {
    std::string everything;
    const auto add = [&everything](const google::protobuf::Message& message) {
      absl::StrAppend(&everything, message.DebugString());
    };
    for (const auto order :
         {v1::COMMENT_ORDER_NEWEST, v1::COMMENT_ORDER_OLDEST, v1::COMMENT_ORDER_THREADED}) {
      const auto page = GetPage({.article_id = "post", .order = order, .page_size = 200});
      add(ArticleOf(*page));
      for (const v1::Comment& comment : page->comments.items) add(comment);
      std::vector<CommentRef> threads = {{}};
      for (const std::string& name : names) threads.push_back(*ParseCommentName(name));
      for (const CommentRef& thread : threads) {
        const auto list =
            List({.article_id = "post", .order = order, .reply_to = thread, .page_size = 200});
        if (!list.ok()) continue;  // readers do not see this thread
        for (const v1::Comment& comment : list->page.items) add(comment);
      }
    }
    for (const std::string& name : names) {
      if (const auto comment = GetComment(name); comment.ok()) add(*comment);
    }
    const auto changes = Await<CommentChanges>(
        [&](auto done) { store_->ReadCommentChanges({}, "post", {}, std::move(done)); });
    EXPECT_TRUE(changes.ok()) << changes.status();
    if (changes.ok()) {
      for (const v1::Comment& comment : changes->comments) add(comment);
    }
    return everything;
  }
};

}  // namespace content::store
