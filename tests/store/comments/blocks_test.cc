#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/comments/comment_fixture.h"
#include "store/store_fixture.h"
#include "support/database.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kTroll[] = "troll";

class BlocksTest : public CommentWriteTest {
 protected:
  absl::StatusOr<v1::BlockedAuthor> Block(const std::string& author_id,
                                          const std::string& reason = "") {
    return Await<v1::BlockedAuthor>(
        [&](auto done) { store_->BlockAuthor({}, author_id, reason, std::move(done)); });
  }

  // The reason of the error; empty if there is none.
  std::string Unblock(const std::string& author_id, bool allow_missing = false) {
    return ReasonOf(Await<void>(
        [&](auto done) { store_->UnblockAuthor({}, author_id, allow_missing, std::move(done)); }));
  }

  std::vector<std::string> Blocked(int page_size) {
    std::vector<std::string> found;
    std::string after;
    do {
      const auto page = Await<Page<v1::BlockedAuthor>>(
          [&](auto done) { store_->ListBlockedAuthors({}, page_size, after, std::move(done)); });
      if (!page.ok()) {
        ADD_FAILURE() << page.status();
        return found;
      }
      EXPECT_LE(page->items.size(), static_cast<size_t>(page_size));
      for (const auto& author : page->items) {
        found.push_back(absl::StrCat(author.author_id(), ": ", author.reason()));
      }
      after = page->next_key;
    } while (!after.empty());
    return found;
  }

  static NewComment By(const std::string& author_id, const std::string& body) {
    NewComment comment = MakeComment("post", body);
    comment.author.set_id(author_id);
    return comment;
  }

  std::string Write(const std::string& author_id) {
    return ReasonOf(Create(By(author_id, "text")).status());
  }
};

TEST_F(BlocksTest, ABlockedAuthorMayOnlyDelete) {
  const std::string old = NameOf(Create(By(kTroll, "old")));
  ASSERT_TRUE(Block(kTroll).ok());
  const auto refused = Create(By(kTroll, "new"));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ReasonOf(refused.status()), "AUTHOR_BLOCKED");
  NewComment trial = By(kTroll, "trial");
  trial.validate_only = true;
  EXPECT_EQ(ReasonOf(Create(trial).status()), "AUTHOR_BLOCKED");
  EXPECT_EQ(ReasonOf(Rewrite(old, "changed").status()), "AUTHOR_BLOCKED");
  EXPECT_EQ(Read(old).body(), "old");
  EXPECT_EQ(Write("user-1"), "");
  EXPECT_EQ(CommentCount(), 2);
  EXPECT_TRUE(Delete(old).ok());
  EXPECT_EQ(Unblock(kTroll), "");
  EXPECT_EQ(Write(kTroll), "");
}

TEST_F(BlocksTest, ABlockHoldsOnEveryServerAtOnce) {
  const auto other = *Open(url_);
  const auto write = [&] {
    return ReasonOf(Await<v1::Comment>([&](auto done) {
                      other->CreateComment({}, By(kTroll, "text"), std::move(done));
                    }).status());
  };
  EXPECT_EQ(write(), "");
  ASSERT_TRUE(Block(kTroll).ok());
  EXPECT_EQ(write(), "AUTHOR_BLOCKED");
  EXPECT_EQ(Unblock(kTroll), "");
  EXPECT_EQ(write(), "");
}

TEST_F(BlocksTest, OneOfABatchFailsAlone) {
  ASSERT_TRUE(Block(kTroll).ok());
  std::vector<std::promise<absl::Status>> answers(30);
  testing::Session session(url_);
  session.Run("BEGIN; SELECT FROM article_state FOR UPDATE");
  for (size_t i = 0; i < answers.size(); ++i) {
    store_->CreateComment({}, By(i == 17 ? kTroll : absl::StrCat("user-", i), "text"),
                          [&answer = answers[i]](const absl::StatusOr<v1::Comment>& comment) {
                            answer.set_value(comment.status());
                          });
  }
  session.Run("ROLLBACK");
  for (size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(ReasonOf(answers[i].get_future().get()), i == 17 ? "AUTHOR_BLOCKED" : "") << i;
  }
  EXPECT_EQ(CommentCount(), 29);
}

TEST_F(BlocksTest, WhatWasWrittenBeforeIsStillAnswered) {
  NewComment comment = By(kTroll, "text");
  comment.request = {.id = NewUuid(), .fingerprint = Fingerprint(comment)};
  const std::string name = NameOf(Create(comment));
  CommentEdit edit{.comment = *ParseCommentName(name), .body = "changed"};
  edit.request = {.id = NewUuid(), .fingerprint = "aa"};
  ASSERT_TRUE(Update(edit).ok());
  ASSERT_TRUE(Block(kTroll).ok());
  EXPECT_EQ(NameOf(Create(comment)), name);
  EXPECT_EQ(Update(edit)->name(), name);
}

TEST_F(BlocksTest, BlockingAgainReplacesTheReason) {
  const auto first = Block(kTroll, "spam");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->author_id(), kTroll);
  EXPECT_EQ(first->reason(), "spam");
  EXPECT_EQ(Sql(absl::StrCat("SELECT abs(extract(epoch FROM now()) - ",
                             first->block_time().seconds(), ") < 60")),
            "t");
  const auto second = Block(kTroll, "more spam");
  EXPECT_EQ(second->reason(), "more spam");
  EXPECT_EQ(second->block_time().SerializeAsString(), first->block_time().SerializeAsString());
  EXPECT_THAT(Blocked(10), ElementsAre("troll: more spam"));
}

TEST_F(BlocksTest, UnblockingNeedsABlock) {
  EXPECT_EQ(Unblock(kTroll), "AUTHOR_NOT_BLOCKED");
  EXPECT_EQ(Unblock(kTroll, /*allow_missing=*/true), "");
  ASSERT_TRUE(Block(kTroll).ok());
  EXPECT_EQ(Unblock(kTroll), "");
  EXPECT_EQ(Unblock(kTroll), "AUTHOR_NOT_BLOCKED");
}

TEST_F(BlocksTest, AreListedByAuthorPageByPage) {
  EXPECT_THAT(Blocked(2), IsEmpty());
  for (const char* id : {"b", "a", "é", "B", "c"}) ASSERT_TRUE(Block(id, "why").ok());
  for (int page_size = 1; page_size <= 6; ++page_size) {
    EXPECT_THAT(Blocked(page_size), ElementsAre("B: why", "a: why", "b: why", "c: why", "é: why"));
  }
}

TEST_F(BlocksTest, OutliveTheErasureOfTheirAuthor) {
  Create(By(kTroll, "text")).IgnoreError();
  ASSERT_TRUE(Block(kTroll).ok());
  for (const bool complete : {false, false, true}) {  // the comment, the audit trail, nothing
    ASSERT_EQ(Erase(kTroll)->complete, complete);
  }
  EXPECT_EQ(Write(kTroll), "AUTHOR_BLOCKED");
}

}  // namespace
}  // namespace content::store
