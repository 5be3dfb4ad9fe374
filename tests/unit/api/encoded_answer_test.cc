// Answers assembled from bytes parse as the intended message.

#include "api/encoded_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/decode.h"
#include "content/v1/content_service.pb.h"

namespace content::api {
namespace {

using ::testing::ElementsAre;

SharedBytes Shared(std::string bytes) {
  return std::make_shared<const std::string>(std::move(bytes));
}

// Returns the bytes that go over the wire.
std::string Wire(const EncodedAnswer& answer) {
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(Encode(answer).Dump(&slices).ok());
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

// The cached form of `article`.
ArticleAnswer Kept(v1::Article article) {
  ArticleAnswer answer;
  answer.revision = article.revision();
  answer.comment_count = article.comment_count();
  article.clear_revision();
  article.clear_comment_count();
  answer.text = Shared(article.SerializeAsString());
  answer.size = answer.text->size();
  return answer;
}

v1::Article MakeArticle(int64_t revision, int64_t comment_count) {
  v1::Article article;
  article.set_name("articles/a");
  article.set_title("Süß");
  article.set_body(std::string(300, 'x'));
  article.set_revision(revision);
  article.set_comment_count(comment_count);
  return article;
}

// Expects `kept` to be sent as `article`.
void ExpectSentAs(const ArticleAnswer& kept, const v1::Article& article) {
  EncodedAnswer answer;
  answer.AddArticle(v1::GetArticleResponse::kArticleFieldNumber, kept);
  v1::GetArticleResponse response;
  ASSERT_TRUE(response.ParseFromString(Wire(answer)));
  EXPECT_EQ(response.article().DebugString(), article.DebugString());
  EXPECT_EQ(EncodedSize(kept), article.ByteSizeLong());
}

TEST(EncodedAnswer, AnArticleIsItsTextAndItsCounts) {
  for (const int64_t count : {int64_t{0}, int64_t{1}, int64_t{300}, INT64_MAX}) {
    const v1::Article article = MakeArticle(count, count / 2);
    ExpectSentAs(Kept(article), article);
  }
}

TEST(EncodedAnswer, AViewIsTheBeginningOfTheText) {
  v1::Article article = MakeArticle(7, 3);
  ArticleAnswer kept = Kept(article);
  article.clear_body();
  kept.size = Kept(article).size;
  kept.text = Shared(*Kept(article).text + *Kept(MakeArticle(7, 3)).text);
  ExpectSentAs(kept, article);
}

TEST(EncodedAnswer, PiecesFollowOneAnother) {
  v1::GetArticlePageResponse comments;
  comments.add_comments()->set_body("hello");
  comments.set_next_comment_page_token("token");
  const v1::Article article = MakeArticle(7, 3);
  EncodedAnswer answer;
  answer.AddArticle(v1::GetArticlePageResponse::kArticleFieldNumber, Kept(article));
  answer.Add(Shared(comments.SerializeAsString()));
  *comments.mutable_article() = article;
  v1::GetArticlePageResponse response;
  ASSERT_TRUE(response.ParseFromString(Wire(answer)));
  EXPECT_EQ(response.DebugString(), comments.DebugString());
}

TEST(EncodedAnswer, TextsAreFieldsUnlessTheyAreEmpty) {
  const int field = v1::BatchGetArticlesResponse::kMissingNamesFieldNumber;
  const std::string longer(1000, 'y');
  EncodedAnswer answer;
  answer.AddText(field, "articles/x");
  answer.AddText(field, "");
  answer.AddText(field, longer);
  v1::BatchGetArticlesResponse response;
  ASSERT_TRUE(response.ParseFromString(Wire(answer)));
  EXPECT_THAT(response.missing_names(), ElementsAre("articles/x", longer));
}

TEST(EncodedAnswer, NothingIsAnEmptyMessage) { EXPECT_EQ(Wire(EncodedAnswer()), ""); }

TEST(EncodedAnswer, SharedBytesAreNotCopied) {
  const SharedBytes bytes = Shared(std::string(1000, 'x'));
  EncodedAnswer answer;
  answer.Add(bytes, 600);
  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(Encode(answer).Dump(&slices).ok());
  ASSERT_EQ(slices.size(), 1U);
  EXPECT_EQ(reinterpret_cast<const char*>(slices[0].begin()), bytes->data());
  EXPECT_EQ(slices[0].size(), 600U);
}

TEST(Share, KeepsTheBytesAsLongAsTheyAreNeeded) {
  SharedBytes bytes = Shared(std::string(1000, 'x'));
  const std::weak_ptr<const std::string> watched = bytes;
  {
    const grpc::Slice slice = Share(bytes, bytes->size());
    bytes = nullptr;
    ASSERT_FALSE(watched.expired());
    EXPECT_EQ(slice.begin()[999], 'x');
  }
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace content::api
