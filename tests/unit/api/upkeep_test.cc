#include "api/upkeep.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "content/rules.h"
#include "unit/api/problems.h"

namespace content::api {
namespace {

TEST(CheckExportAuthor, WantsAnAuthor) {
  EXPECT_EQ(Problems(CheckExportAuthor({})), "author_id is required");
  v1::ExportAuthorRequest request;
  request.set_author_id("u");
  EXPECT_EQ(*CheckExportAuthor(request), "u");
}

TEST(CheckEraseAuthor, WantsAnAuthor) {
  EXPECT_EQ(Problems(CheckEraseAuthor({})), "author_id is required");
  v1::EraseAuthorRequest request;
  request.set_author_id("u");
  EXPECT_EQ(*CheckEraseAuthor(request), "u");
}

// Stored ids may be older than the rules for ids.
TEST(CheckEraseAuthor, TakesAnIdThatNoNewCommentMayHave) {
  for (const char* id : {"u\u200B", "\uFEFFu", "\u2800", "\u202Eu", "\u0301u"}) {
    v1::EraseAuthorRequest erasure;
    erasure.set_author_id(id);
    EXPECT_EQ(Problems(CheckEraseAuthor(erasure)), "") << id;
    v1::ExportAuthorRequest request;
    request.set_author_id(id);
    EXPECT_EQ(Problems(CheckExportAuthor(request)), "") << id;
  }
  v1::EraseAuthorRequest erasure;
  for (const char* id : {" ", "a\nb"}) {
    erasure.set_author_id(id);
    EXPECT_NE(Problems(CheckEraseAuthor(erasure)), "") << id;
  }
}

TEST(CheckVerifyCounters, TakesOneArticleOrAll) {
  EXPECT_EQ(CheckVerifyCounters({})->article_id, "");
  EXPECT_FALSE(CheckVerifyCounters({})->repair);
  v1::VerifyCountersRequest request;
  request.set_name("articles/a");
  request.set_repair(true);
  EXPECT_EQ(CheckVerifyCounters(request)->article_id, "a");
  EXPECT_TRUE(CheckVerifyCounters(request)->repair);
  request.set_name("a");
  EXPECT_EQ(Problems(CheckVerifyCounters(request)), absl::StrCat("name ", kArticleNameRule));
}

}  // namespace
}  // namespace content::api
