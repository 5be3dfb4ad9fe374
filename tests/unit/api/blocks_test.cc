#include "api/blocks.h"

#include <gtest/gtest.h>

#include <string>

#include "api/identity.h"
#include "content/page_token.h"
#include "content/rules.h"
#include "unit/api/problems.h"

namespace content::api {
namespace {

TEST(CheckBlockAuthor, WantsAnAuthorAndLimitsTheReason) {
  EXPECT_EQ(Problems(CheckBlockAuthor({})), "author_id is required");
  v1::BlockAuthorRequest request;
  request.set_author_id("u");
  EXPECT_EQ(Problems(CheckBlockAuthor(request)), "");
  request.set_reason("spam\nagain");
  EXPECT_EQ(Problems(CheckBlockAuthor(request)), "");
  request.set_reason(std::string(kMaxReasonCharacters, 'x'));
  EXPECT_EQ(Problems(CheckBlockAuthor(request)), "");
  request.set_reason(std::string(kMaxReasonCharacters + 1, 'x'));
  EXPECT_NE(Problems(CheckBlockAuthor(request)), "");
}

TEST(CheckUnblockAuthor, WantsAnAuthor) {
  EXPECT_EQ(Problems(CheckUnblockAuthor({})), "author_id is required");
  v1::UnblockAuthorRequest request;
  request.set_author_id("u");
  EXPECT_EQ(Problems(CheckUnblockAuthor(request)), "");
}

TEST(CheckListBlockedAuthors, HasDefaultsAndLimits) {
  v1::ListBlockedAuthorsRequest request;
  EXPECT_EQ(CheckListBlockedAuthors(request)->page_size, 25);
  request.set_page_size(1'000);
  EXPECT_EQ(CheckListBlockedAuthors(request)->page_size, 200);
  request.set_page_token(MakePageToken(QueryIdentity(request), "key"));
  EXPECT_EQ(CheckListBlockedAuthors(request)->after_key, "key");
  request.set_page_size(-1);
  request.set_page_token("x");
  EXPECT_EQ(Problems(CheckListBlockedAuthors(request)),
            "page_size is negative; page_token is not a next_page_token of this query");
}

}  // namespace
}  // namespace content::api
