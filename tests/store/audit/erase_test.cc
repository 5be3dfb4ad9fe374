// What an erasure leaves in the audit trail.

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "store/audit/audit_fixture.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class EraseFromAuditTrailTest : public AuditTest {
 protected:
  void SetUp() override { ASSERT_TRUE(Publish(MakeArticle("post")).ok()); }

  // Rows of any table that an erasure must have emptied of the text.
  std::string RowsWith(const std::string& text) {
    return Sql(
        absl::StrCat("SELECT count(*) FROM audit_event e WHERE e::text LIKE '%", text, "%'"));
  }
};

TEST_F(EraseFromAuditTrailTest, NothingNamesTheAuthorAnyMore) {
  const std::string name = NameOf(Create([] {
    NewComment comment = MakeComment("post", "a secret");
    comment.author.set_id("ana");
    comment.author.set_display_name("Ana Lima");
    return comment;
  }()));
  ASSERT_EQ(ModerateBy("jwt:ana",
                       {.comment = *ParseCommentName(name), .state = v1::COMMENT_STATE_HIDDEN}),
            "");
  ASSERT_EQ(BlockBy(By("dns:forum", "ben"), "ana", "Ana Lima sells shoes"), "");
  ASSERT_EQ(BlockBy(By("dns:forum", "ana"), "ben", "spam"), "");
  ASSERT_EQ(BlockBy(By("jwt:anatol", "anatol"), "anabel", "spam"), "");
  EraseAllBy(By("cn:desk"), "ana");
  EXPECT_THAT(Texts(), ElementsAre("erase_author, count 1, by cn:desk",
                                   "block_author, author anabel, by jwt:anatol, for anatol",
                                   "block_author, author ben, by dns:forum, erased",
                                   "block_author, by dns:forum, for ben, erased",
                                   "moderate_comment, post, comment, r3, hidden, erased",
                                   "publish_article, post, r1, created"));
  for (const char* const text : {"Lima", "secret", "shoes", "\"ana\"", ",ana,", "jwt:ana,"}) {
    EXPECT_EQ(RowsWith(text), "0") << text;
  }
}

// Also that of others: it takes several transactions.
TEST_F(EraseFromAuditTrailTest, ErasesAnyNumberOfEvents) {
  const absl::Time time = absl::FromUnixSeconds(1'750'000'000);
  Insert(700, time, "jwt:ana", "ana");
  Insert(400, time, "dns:forum", "ben", "ana");
  Insert(10, time, "dns:forum", "ben", "ben");
  EraseAllBy(By("cn:desk"), "ana");
  EXPECT_EQ(RowsWith("ana"), "0");
  EXPECT_EQ(Sql("SELECT count(*) FROM audit_event WHERE erased"), "1100");
  EXPECT_THAT(Events({.person_id = "ben"}), SizeIs(410));
  EXPECT_THAT(Texts({.caller = "cn:desk"}), ElementsAre("erase_author, by cn:desk"));
}

TEST_F(EraseFromAuditTrailTest, WhoEraseThemselvesAreNotNamed) {
  for (const CallContext& self : {By("jwt:ana", "ana"), By("dns:forum", "ana"), By("jwt:ana")}) {
    NewComment comment = MakeComment("post", "hello");
    comment.author.set_id("ana");
    ASSERT_TRUE(Create(comment).ok());
    ASSERT_EQ(BlockBy(self, "ben", absl::StrCat(Texts().size())), "");
    EraseAllBy(self, "ana");
    EXPECT_EQ(Texts()[0], "erase_author, count 1, erased");
    EXPECT_EQ(RowsWith("ana"), "0");
  }
}

TEST_F(EraseFromAuditTrailTest, WhatIsDoneLaterIsNew) {
  ASSERT_EQ(BlockBy(By("cn:desk"), "ana", "spam"), "");
  EraseAllBy(By("cn:desk"), "ana");
  ASSERT_EQ(UnblockBy("cn:desk", "ana"), "");
  EXPECT_EQ(Texts()[0], "unblock_author, author ana, by cn:desk");
  EraseAllBy(By("cn:desk"), "ana");
  EXPECT_EQ(RowsWith("ana"), "0");
}

}  // namespace
}  // namespace content::store
