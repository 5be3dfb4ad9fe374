// Callers who may write only as the person whom their token names.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/comments/comment_fixture.h"
#include "store/store_fixture.h"
#include "support/locks.h"
#include "support/pending.h"

namespace content::store {
namespace {

using testing::Pending;

class CallersTest : public CommentWriteTest {
 protected:
  static CallContext Person(const std::string& person, bool only = true) {
    return {.caller = std::make_shared<Caller>(Caller{.identity = absl::StrCat("jwt:", person),
                                                      .person = person,
                                                      .writes_only_as_person = only})};
  }

  std::string AddBy(const std::string& author) {
    NewComment comment = MakeComment("post", "hello");
    comment.author.set_id(author);
    return NameOf(Create(comment));
  }

  absl::Status Rewrite(CallContext caller, const std::string& name, bool validate_only = false) {
    return Await<v1::Comment>([&](auto done) {
             store_->UpdateComment(std::move(caller),
                                   {.comment = *ParseCommentName(name),
                                    .body = "changed",
                                    .validate_only = validate_only},
                                   std::move(done));
           })
        .status();
  }

  absl::Status Remove(CallContext caller, const std::string& name, bool by_moderator = false) {
    return Await<int64_t>([&](auto done) {
             store_->DeleteComment(
                 std::move(caller),
                 {.comment = *ParseCommentName(name), .by_moderator = by_moderator},
                 std::move(done));
           })
        .status();
  }
};

TEST_F(CallersTest, MayChangeAndDeleteTheirOwnCommentsOnly) {
  const std::string name = AddBy("ana");
  for (const absl::Status& refused :
       {Rewrite(Person("ben"), name), Rewrite(Person("ben"), name, /*validate_only=*/true),
        Remove(Person("ben"), name)}) {
    EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
    EXPECT_EQ(ReasonOf(refused), "AUTHOR_NOT_CALLER");
  }
  EXPECT_EQ(ReasonOf(Remove(Person(""), name)), "CREDENTIALS_MISSING");
  EXPECT_EQ(Read(name).body(), "hello");
  EXPECT_TRUE(Rewrite(Person("ana"), name).ok());
  EXPECT_EQ(Read(name).body(), "changed");
  EXPECT_TRUE(Remove(Person("ana"), name).ok());
  EXPECT_FALSE(IsShown(name));
}

// Blocks and hidden comments are between the author and the moderators.
TEST_F(CallersTest, DoNotLearnWhoIsBlockedOrHidden) {
  const std::string name = AddBy("ana");
  ASSERT_TRUE(Moderate(name, v1::COMMENT_STATE_HIDDEN).ok());
  EXPECT_EQ(ReasonOf(Rewrite(Person("ben"), name)), "AUTHOR_NOT_CALLER");
  EXPECT_EQ(ReasonOf(Rewrite(Person("ana"), name)), "COMMENT_HIDDEN");
  ASSERT_TRUE(Await<v1::BlockedAuthor>([&](auto done) {
                store_->BlockAuthor({}, "ana", "spam", std::move(done));
              }).ok());
  EXPECT_EQ(ReasonOf(Rewrite(Person("ben"), name)), "AUTHOR_NOT_CALLER");
  EXPECT_EQ(ReasonOf(Rewrite(Person("ana"), name)), "AUTHOR_BLOCKED");
  EXPECT_EQ(ReasonOf(Rewrite({}, name)), "AUTHOR_BLOCKED");
}

TEST_F(CallersTest, OthersMayWriteAsAnybody) {
  const std::string name = AddBy("ana");
  EXPECT_TRUE(Rewrite(Person("ben", /*only=*/false), name).ok());
  EXPECT_TRUE(Remove({}, name).ok());
}

TEST_F(CallersTest, ModeratorsMayErase) {
  EXPECT_TRUE(Remove(Person("ben"), AddBy("ana"), /*by_moderator=*/true).ok());
}

// A deleted comment has no author, and deleting it again changes nothing.
TEST_F(CallersTest, WhatIsDeletedOrMissingIsNobodys) {
  const std::string name = AddBy("ana");
  ASSERT_TRUE(Remove({}, name).ok());
  EXPECT_TRUE(Remove(Person("ben"), name).ok());
  for (const char* const person : {"ana", "ben"}) {
    EXPECT_EQ(ReasonOf(Rewrite(Person(person), name)), "COMMENT_DELETED") << person;
  }
  const std::string missing = CommentName("post", "01890a5d-ac96-774b-bcce-b302099a8057");
  EXPECT_EQ(ReasonOf(Remove(Person("ben"), missing)), "COMMENT_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Rewrite(Person("ben"), missing)), "COMMENT_NOT_FOUND");
}

TEST_F(CallersTest, WritesThatShareATransactionKeepTheirCallers) {
  const std::string name = AddBy("ana");
  std::vector<Pending<v1::Comment>> edits(20);
  testing::Session session(url_);
  session.Run("BEGIN; " + testing::LockArticles(url_, "first_name = 'post'"));
  for (size_t i = 0; i < edits.size(); ++i) {
    store_->UpdateComment(Person(i % 3 == 0 ? "ben" : "ana"),
                          {.comment = *ParseCommentName(name), .body = absl::StrCat(i)},
                          edits[i].callback());
  }
  session.Run("ROLLBACK");
  for (size_t i = 0; i < edits.size(); ++i) {
    EXPECT_EQ(ReasonOf(edits[i].Get().status()), i % 3 == 0 ? "AUTHOR_NOT_CALLER" : "") << i;
  }
  EXPECT_EQ(Read(name).edit_count(), 13);
}

}  // namespace
}  // namespace content::store
