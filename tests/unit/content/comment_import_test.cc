#include "content/comment_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "content/rules.h"
#include "content/uuid.h"
#include "google/protobuf/util/time_util.h"

namespace content {
namespace {

using google::protobuf::util::TimeUtil;

constexpr char kId[] = "01890a5d-ac96-774b-bcce-b302099a8057";

const absl::Time kTime = absl::FromUnixMillis(0x0123'4567'89ab);
const absl::Time kNow = absl::FromUnixSeconds(1'750'000'000);

// ---- Ids ----

// Comments are found by their ids in every later import, so these must never change.
TEST(SourceComment, HasTheSameIdsInEveryVersion) {
  const SourceComment comment("disqus:forum", "4711");
  EXPECT_EQ(comment.IdAt(kTime), "01234567-89ab-7000-851e-ae0ca5d9ea55");
  EXPECT_EQ(comment.IdAt(kTime + absl::Microseconds(500)), "01234567-89ab-7800-851e-ae0ca5d9ea55");
  EXPECT_EQ(comment.IdAfter(kId), "01890a5d-ac96-774c-851e-ae0ca5d9ea55");
}

TEST(SourceComment, HasUuidsOfVersion7ThatCarryItsTime) {
  for (const absl::Time time : {absl::UnixEpoch(), kTime, kNow + absl::Microseconds(123'456)}) {
    const std::string id = SourceComment("s", "1").IdAt(time);
    EXPECT_TRUE(IsUuidV7(id)) << id;
    EXPECT_EQ(TimeOfUuid(id), time);
  }
}

TEST(SourceComment, SortsByItsTimeAmongOthers) {
  EXPECT_LT(SourceComment("s", "2").IdAt(kTime),
            SourceComment("s", "1").IdAt(kTime + absl::Microseconds(1)));
  EXPECT_LT(SourceComment("s", "1").IdAt(kTime), TimedUuids(kTime + absl::Microseconds(1)).Next());
  EXPECT_GT(SourceComment("s", "1").IdAt(kTime), TimedUuids(kTime - absl::Microseconds(1)).Next());
}

TEST(SourceComment, HasIdsThatAreOnlyItsOwn) {
  std::set<std::string> endings;
  for (int i = 0; i < 10'000; ++i) {
    const SourceComment comment("s", absl::StrCat(i));
    endings.insert(comment.id_ending());
    ASSERT_TRUE(absl::EndsWith(comment.IdAt(kTime), comment.id_ending()));
    ASSERT_TRUE(absl::EndsWith(comment.IdAfter(kId), comment.id_ending()));
  }
  EXPECT_EQ(endings.size(), 10'000);
  EXPECT_NE(SourceComment("s", "12").IdAt(kTime), SourceComment("s1", "2").IdAt(kTime));
}

TEST(SourceComment, AsAReplyComesAfterItsParentAndBeforeALaterComment) {
  const std::string parent = SourceComment("s", "1").IdAt(kTime);
  std::string last = parent;
  for (int depth = 1; depth <= kMaxThreadDepth; ++depth) {
    const std::string reply = SourceComment("s", absl::StrCat("reply", depth)).IdAfter(last);
    EXPECT_TRUE(IsUuidV7(reply)) << reply;
    EXPECT_GT(reply, last);
    last = reply;
  }
  EXPECT_LT(last, SourceComment("s", "2").IdAt(kTime + absl::Milliseconds(1)));
  // The millisecond is used up.
  EXPECT_EQ(SourceComment("s", "1").IdAfter("01234567-89ab-7fff-851e-ae0ca5d9ea55").substr(0, 18),
            "01234567-89ac-7000");
}

TEST(IsUuidV7, LooksAtVersionAndVariant) {
  EXPECT_TRUE(IsUuidV7(kId));
  EXPECT_FALSE(IsUuidV7("01890a5d-ac96-474b-bcce-b302099a8057"));
  EXPECT_FALSE(IsUuidV7("01890a5d-ac96-774b-ccce-b302099a8057"));
  EXPECT_FALSE(IsUuidV7("01890A5D-AC96-774B-BCCE-B302099A8057"));
  EXPECT_FALSE(IsUuidV7(""));
}

// ---- Rules ----

v1::ImportedComment ValidImport() {
  v1::ImportedComment comment;
  comment.set_source_id("1");
  comment.mutable_author()->set_id("ana");
  comment.mutable_author()->set_display_name("Ana");
  comment.set_body("Text.");
  comment.set_state(v1::COMMENT_STATE_VISIBLE);
  comment.mutable_create_time()->set_seconds(1'600'000'000);
  return comment;
}

std::string Problems(const v1::ImportedComment& comment) {
  Violations violations;
  CheckImportedComment(comment, kNow, violations);
  return std::string(violations.ToStatus().message());
}

TEST(CheckImportedComment, HasTheRulesOfNewComments) {
  EXPECT_EQ(Problems(ValidImport()), "");
  v1::ImportedComment comment = ValidImport();
  comment.clear_author();
  comment.set_body(std::string(10'001, 'x'));
  EXPECT_EQ(Problems(comment),
            "author.id is required; author.display_name is required; "
            "body has 10001 characters; at most 10000 are allowed");
  comment = ValidImport();
  comment.set_body("a\001");
  EXPECT_EQ(Problems(comment), "body has a control character other than tab, line feed and return");
}

TEST(CheckImportedComment, WantsNeitherAuthorNorTextOfADeletedOne) {
  v1::ImportedComment comment = ValidImport();
  comment.clear_author();
  comment.clear_body();
  comment.set_state(v1::COMMENT_STATE_DELETED);
  EXPECT_EQ(Problems(comment), "");
}

TEST(CheckImportedComment, WantsOneIdOfEither) {
  v1::ImportedComment comment = ValidImport();
  comment.clear_source_id();
  EXPECT_EQ(Problems(comment), "source_id is required");
  comment.set_comment_id(kId);
  EXPECT_EQ(Problems(comment), "");
  comment.set_source_id("1");
  EXPECT_EQ(Problems(comment), "source_id must be empty if there is a comment_id");
  comment.clear_source_id();
  comment.set_comment_id("6d5d1c9e-9a5b-4b2a-8f3e-0c1d2e3f4a5b");
  EXPECT_EQ(Problems(comment), "comment_id is not a version 7 UUID in lower case");
  comment.set_comment_id(TimedUuids(kNow + absl::Microseconds(1)).Next());
  EXPECT_EQ(Problems(comment), "comment_id has a time in the future");
  comment = ValidImport();
  comment.set_source_id(std::string(256, '1'));
  EXPECT_EQ(Problems(comment), "source_id has 256 characters; at most 255 are allowed");
}

TEST(CheckImportedComment, WantsOneParentAtMost) {
  v1::ImportedComment comment = ValidImport();
  comment.set_reply_to_source_id("2");
  EXPECT_EQ(Problems(comment), "");
  comment.set_reply_to(absl::StrCat("articles/a/comments/", kId));
  EXPECT_EQ(Problems(comment), "reply_to_source_id must be empty if there is a reply_to");
  comment.clear_reply_to_source_id();
  EXPECT_EQ(Problems(comment), "");
  comment.set_reply_to(kId);
  EXPECT_EQ(Problems(comment), absl::StrCat("reply_to ", kCommentNameRule));
}

TEST(CheckImportedComment, WantsTimesOfThePastThatAnIdCanCarry) {
  v1::ImportedComment comment = ValidImport();
  const auto problems_at = [&](const std::string& time) {
    EXPECT_TRUE(TimeUtil::FromString(time, comment.mutable_create_time()));
    return Problems(comment);
  };
  EXPECT_EQ(problems_at("1970-01-01T00:00:00Z"), "");
  EXPECT_EQ(problems_at("1969-12-31T23:59:59.999Z"), "create_time is before 1970");
  EXPECT_EQ(problems_at("2025-06-15T15:06:40Z"), "");  // now
  EXPECT_EQ(problems_at("2025-06-15T15:06:40.000001Z"), "create_time is in the future");
  comment.mutable_create_time()->set_seconds(300'000'000'000);
  EXPECT_EQ(Problems(comment), "create_time is not between 0001-01-01 and 9999-12-31");
}

TEST(CheckImportedComment, WantsAnUpdateTimeThatIsNotEarlierAndNotInTheFuture) {
  v1::ImportedComment comment = ValidImport();
  *comment.mutable_update_time() = comment.create_time();
  EXPECT_EQ(Problems(comment), "");
  comment.mutable_update_time()->set_seconds(1'599'999'999);
  EXPECT_EQ(Problems(comment), "update_time is before create_time");
  comment.mutable_update_time()->set_seconds(1'750'000'001);
  EXPECT_EQ(Problems(comment), "update_time is in the future");
}

TEST(CheckImportedComment, CountsNoEditsBelowZero) {
  v1::ImportedComment comment = ValidImport();
  comment.set_edit_count(-1);
  EXPECT_EQ(Problems(comment), "edit_count is negative");
}

}  // namespace
}  // namespace content
