#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "base/digest.h"
#include "store/store_fixture.h"
#include "support/proxy.h"

namespace content::store {
namespace {

using testing::Proxy;

constexpr char kRequestId[] = "2b6f2a4e-6a0e-4b62-9c0e-0d9d0f3f7a11";

// Fingerprints of two requests.
const std::string kThis = absl::BytesToHexString(Digest({"this"}));
const std::string kOther = absl::BytesToHexString(Digest({"other"}));

class RequestLogTest : public StoreTest {
 protected:
  void SetUp() override { ASSERT_TRUE(Publish(MakeArticle("post")).ok()); }

  NewComment MakeRequest() {
    NewComment comment = MakeComment("post", "once");
    comment.request = {kRequestId, kThis};
    return comment;
  }
};

TEST_F(RequestLogTest, ARepeatedWriteAnswersWithTheCurrentComment) {
  const auto first = Create(MakeRequest());
  ASSERT_TRUE(Update({.comment = *ParseCommentName(first->name()), .body = "edited"}).ok());
  Add("post", "another");
  const auto again = Create(MakeRequest());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->name(), first->name());
  EXPECT_EQ(again->body(), "edited");
  EXPECT_EQ(again->revision(), 3);
  EXPECT_EQ(again->article_revision(), 2) << "the revision of the write itself";

  ASSERT_TRUE(Delete(first->name()).ok());
  EXPECT_EQ(Create(MakeRequest())->body(), "");
  ASSERT_TRUE(Retract("post").ok());
  EXPECT_EQ(Create(MakeRequest())->name(), first->name()) << "it was done while it was possible";
  EXPECT_EQ(Sql("SELECT count(*) FROM comment"), "2");
}

TEST_F(RequestLogTest, ARepeatedPublishAnswersWithItsOutcomeAndTheCurrentArticle) {
  const PublishOptions options{.request = {kRequestId, kThis}};
  EXPECT_EQ(Publish(MakeArticle("new"), options)->outcome, v1::PUBLISH_OUTCOME_CREATED);
  ASSERT_TRUE(Publish(MakeArticle("new", "Other text.")).ok());
  const auto again = Publish(MakeArticle("new"), options);
  EXPECT_EQ(again->outcome, v1::PUBLISH_OUTCOME_CREATED);
  EXPECT_EQ(again->article.body(), "Other text.");
  EXPECT_EQ(Publish(MakeArticle("new", "Other text."), {.request = {NewUuid(), kThis}})->outcome,
            v1::PUBLISH_OUTCOME_UNCHANGED);
}

TEST_F(RequestLogTest, AFailedRequestDoesNotUseUpItsId) {
  EXPECT_EQ(
      ReasonOf(Delete({.comment = {"post", NewUuid()}, .request = {kRequestId, kOther}}).status()),
      "COMMENT_NOT_FOUND");
  v1::Article stale = MakeArticle("post", "Other text.");
  stale.set_etag("7");
  EXPECT_EQ(ReasonOf(Publish(stale, {.request = {kRequestId, kOther}}).status()), "ETAG_MISMATCH");
  NewComment orphan = MakeComment("post", "x", CommentName("post", NewUuid()));
  orphan.request = {kRequestId, kOther};
  EXPECT_EQ(ReasonOf(Create(orphan).status()), "COMMENT_NOT_FOUND");
  EXPECT_TRUE(Create(MakeRequest()).ok());
}

TEST_F(RequestLogTest, ValidatingDoesNotUseUpAnIdButReportsThatItIsUsed) {
  NewComment trial = MakeRequest();
  trial.validate_only = true;
  trial.request.fingerprint = kOther;
  EXPECT_EQ(Create(trial)->name(), "");
  const auto created = Create(MakeRequest());
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(ReasonOf(Create(trial).status()), "REQUEST_ID_REUSED");
  trial.request.fingerprint = kThis;
  EXPECT_EQ(Create(trial)->name(), "");

  CommentEdit edit{.comment = *ParseCommentName(created->name()),
                   .body = "edited",
                   .request = {NewUuid(), kThis}};
  ASSERT_TRUE(Update(edit).ok());
  edit.validate_only = true;
  EXPECT_EQ(Update(edit)->body(), "edited");
  EXPECT_EQ(Update(edit)->etag(), "");
  EXPECT_EQ(Update(edit)->article_revision(), 0);

  PublishOptions options{.request = {NewUuid(), kThis}};
  ASSERT_TRUE(Publish(MakeArticle("post", "Other text."), options).ok());
  options.validate_only = true;
  const auto preview = Publish(MakeArticle("post", "Other text."), options);
  EXPECT_EQ(preview->outcome, v1::PUBLISH_OUTCOME_UNSPECIFIED);
  EXPECT_EQ(preview->article.etag(), "");
}

TEST_F(RequestLogTest, ARequestThatChangesNothingIsRememberedOnlyIfTheCallerGaveItsId) {
  const std::string count = "SELECT count(*) FROM request";
  const std::string before = Sql(count);
  EXPECT_EQ(Publish(MakeArticle("post"))->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
  EXPECT_EQ(Sql(count), before);
  const PublishOptions with_id{.request = {kRequestId, kThis}};
  EXPECT_EQ(Publish(MakeArticle("post"), with_id)->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
  EXPECT_NE(Sql(count), before);
}

TEST_F(RequestLogTest, AnIdBelongsToItsArticle) {
  ASSERT_TRUE(Publish(MakeArticle("other")).ok());
  ASSERT_TRUE(Create(MakeRequest()).ok());
  NewComment elsewhere = MakeRequest();
  elsewhere.article_id = "other";
  elsewhere.request.fingerprint = kOther;
  EXPECT_TRUE(Create(elsewhere).ok());
  ASSERT_TRUE(Rename({.id = "post", .new_id = "renamed"}).ok());
  NewComment again = MakeRequest();
  again.article_id = "renamed";
  EXPECT_EQ(Create(again)->article_revision(), 2) << "by any name of the article";
}

}  // namespace
}  // namespace content::store
