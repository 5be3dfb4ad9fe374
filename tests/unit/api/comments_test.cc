#include "api/comments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "access/gate.h"
#include "api/articles.h"
#include "api/identity.h"
#include "base/await.h"
#include "content/page_token.h"
#include "content/rules.h"
#include "unit/api/problems.h"

namespace content::api {
namespace {

using ::testing::StartsWith;

constexpr char kId[] = "0190a8f0-0000-7000-8000-000000000000";
constexpr char kForeignToken[] = "page_token is not a next_page_token of this query";

TEST(CheckGetComment, WantsAName) {
  EXPECT_EQ(Problems(CheckGetComment({})), "name is required");
  v1::GetCommentRequest request;
  request.set_name(CommentName("a", kId));
  EXPECT_EQ(CheckGetComment(request)->article_id, "a");
  EXPECT_EQ(CheckGetComment(request)->comment_id, kId);
  request.set_min_revision(-1);
  EXPECT_EQ(Problems(CheckGetComment(request)), "min_revision is negative");
}

TEST(CheckListComments, HasDefaultsAndLimits) {
  EXPECT_EQ(Problems(CheckListComments({})), "parent is required");
  const auto check = [](int32_t page_size) {
    v1::ListCommentsRequest request;
    request.set_parent("articles/a");
    request.set_page_size(page_size);
    return CheckListComments(request);
  };
  EXPECT_EQ(check(0)->page_size, 25);
  EXPECT_EQ(check(7)->page_size, 7);
  EXPECT_EQ(check(1'000'000)->page_size, 200);
  EXPECT_EQ(Problems(check(-1)), "page_size is negative");
}

TEST(CheckListComments, TakesATokenOfItsQueryWithAnyPageSize) {
  v1::ListCommentsRequest request;
  request.set_parent("articles/a");
  request.set_page_token(MakePageToken(QueryIdentity(request), kId));
  request.set_page_size(3);
  request.set_min_revision(5);
  EXPECT_EQ(CheckListComments(request)->after_key, kId);

  v1::ListCommentsRequest other_order = request;
  other_order.set_order(v1::COMMENT_ORDER_OLDEST);
  v1::ListCommentsRequest other_article = request;
  other_article.set_parent("articles/b");
  v1::ListCommentsRequest other_thread = request;
  other_thread.set_reply_to(absl::StrCat("articles/a/comments/", kId));
  for (const auto& other : {other_order, other_article, other_thread}) {
    EXPECT_EQ(Problems(CheckListComments(other)), kForeignToken);
  }
}

// Their keys are still the same.
TEST(CheckListComments, TakesTokensOfOlderSchemas) {
  v1::ListCommentsRequest request;
  request.set_parent("articles/a");
  request.set_page_token(MakePageToken(CanonicalText(request), kId));
  EXPECT_EQ(CheckListComments(request)->after_key, kId);
}

TEST(CheckListComments, TakesTheTokenOfAnArticlePage) {
  v1::GetArticlePageRequest page;
  page.set_name("articles/a");
  page.set_view(v1::ARTICLE_VIEW_BASIC);
  page.set_comment_page_size(3);
  page.set_comment_order(v1::COMMENT_ORDER_OLDEST);
  page.set_min_revision(5);
  v1::ListCommentsRequest list;
  list.set_parent("articles/a");
  list.set_order(v1::COMMENT_ORDER_OLDEST);
  list.set_page_size(50);
  list.set_page_token(MakePageToken(IdentityOfNextComments(page), kId));
  ASSERT_EQ(Problems(CheckListComments(list)), "");
  EXPECT_EQ(CheckListComments(list)->after_key, kId);
  list.set_order(v1::COMMENT_ORDER_NEWEST);
  EXPECT_EQ(Problems(CheckListComments(list)), kForeignToken);
}

TEST(CheckCreateComment, NamesEverythingThatIsMissing) {
  EXPECT_EQ(Problems(CheckCreateComment({})),
            "parent is required; comment.author.id is required; comment.author.display_name is "
            "required; comment.body is required");
}

TEST(CheckCreateComment, TakesAReplyUnderAnyNameOfTheArticle) {
  v1::CreateCommentRequest request;
  request.set_parent("articles/a");
  request.mutable_comment()->mutable_author()->set_id("u");
  request.mutable_comment()->mutable_author()->set_display_name("U");
  request.mutable_comment()->set_body("text");
  request.mutable_comment()->set_reply_to(absl::StrCat("articles/former/comments/", kId));
  ASSERT_EQ(Problems(CheckCreateComment(request)), "");
  EXPECT_EQ(CheckCreateComment(request)->reply_to.article_id, "former");
  EXPECT_EQ(CheckCreateComment(request)->reply_to.comment_id, kId);
  request.mutable_comment()->set_reply_to("articles/a/comments/1");
  EXPECT_THAT(Problems(CheckCreateComment(request)),
              StartsWith("comment.reply_to is not articles/{id}"));
}

class CheckUpdateCommentTest : public ::testing::Test {
 protected:
  CheckUpdateCommentTest() {
    request_.mutable_comment()->set_name(CommentName("a", kId));
    request_.mutable_comment()->set_etag("7");
    request_.set_validate_only(true);
  }

  absl::StatusOr<CommentEdit> Check(const std::vector<std::string>& paths, const char* body,
                                    const char* name) {
    request_.mutable_update_mask()->clear_paths();
    for (const std::string& path : paths) request_.mutable_update_mask()->add_paths(path);
    request_.mutable_comment()->set_body(body);
    request_.mutable_comment()->mutable_author()->set_display_name(name);
    return CheckUpdateComment(request_);
  }

  v1::UpdateCommentRequest request_;
};

TEST_F(CheckUpdateCommentTest, ChangesTheFieldsOfTheMask) {
  const auto edit = Check({"body"}, "text", "Ana");
  ASSERT_TRUE(edit.ok()) << edit.status();
  EXPECT_EQ(edit->comment.article_id, "a");
  EXPECT_EQ(edit->comment.comment_id, kId);
  EXPECT_EQ(edit->body, "text");
  EXPECT_EQ(edit->author_display_name, std::nullopt);
  EXPECT_EQ(edit->etag, "7");
  EXPECT_TRUE(edit->validate_only);
  EXPECT_EQ(Check({"author.display_name"}, "text", "Ana")->body, std::nullopt);
  EXPECT_EQ(Check({"author.display_name"}, "text", "Ana")->author_display_name, "Ana");
  EXPECT_EQ(Check({"*"}, "text", "Ana")->body, "text");
  EXPECT_EQ(Check({"*"}, "text", "Ana")->author_display_name, "Ana");
}

TEST_F(CheckUpdateCommentTest, ChangesTheFieldsThatAreSetWithoutAMask) {
  EXPECT_EQ(Check({}, "text", "")->body, "text");
  EXPECT_EQ(Check({}, "text", "")->author_display_name, std::nullopt);
  EXPECT_EQ(Check({}, "", "Ana")->author_display_name, "Ana");
  EXPECT_EQ(Problems(Check({}, "", "")), "update_mask names no fields, and none are set");
}

TEST_F(CheckUpdateCommentTest, ChecksTheFieldsThatChange) {
  EXPECT_EQ(Problems(CheckUpdateComment({})),
            "comment.name is required; update_mask names no fields, and none are set");
  EXPECT_EQ(Problems(Check({"*"}, "", "")),
            "comment.body is required; comment.author.display_name is required");
  EXPECT_EQ(Problems(Check({"body"}, "\u200B", "Ana")), "comment.body has no visible character");
}

TEST_F(CheckUpdateCommentTest, RefusesOtherPathsAndBlamesNoFieldForThem) {
  for (const char* path : {"author", "author.id", "state", "", "body.x", "*.body"}) {
    for (const char* text : {"text", ""}) {
      EXPECT_EQ(Problems(Check({path}, text, text)),
                "update_mask has a path other than body, author.display_name");
      EXPECT_EQ(Problems(Check({path, "body"}, "text", "")),
                "update_mask has a path other than body, author.display_name");
    }
  }
  EXPECT_EQ(Problems(Check({"*", "body"}, "text", "Ana")),
            "update_mask has a path other than body, author.display_name");
  EXPECT_EQ(Problems(Check({"state", "body"}, "", "Ana")),
            "update_mask has a path other than body, author.display_name");
}

TEST_F(CheckUpdateCommentTest, APathGivenTwiceCountsOnce) {
  EXPECT_EQ(Check({"body", "body"}, "text", "")->body, "text");
  EXPECT_EQ(Problems(Check({"body", "body"}, "", "")), "comment.body is required");
  EXPECT_EQ(Check({"*", "*"}, "text", "Ana")->author_display_name, "Ana");
}

TEST(CheckDeleteComment, WantsAName) {
  EXPECT_EQ(Problems(CheckDeleteComment({})), "name is required");
  v1::DeleteCommentRequest request;
  request.set_name(CommentName("a", kId));
  request.set_etag("7");
  request.set_allow_missing(true);
  EXPECT_EQ(CheckDeleteComment(request)->comment.comment_id, kId);
  EXPECT_EQ(CheckDeleteComment(request)->etag, "7");
  EXPECT_TRUE(CheckDeleteComment(request)->allow_missing);
  request.set_name("articles/a");
  EXPECT_EQ(Problems(CheckDeleteComment(request)), absl::StrCat("name ", kCommentNameRule));
}

v1::ImportCommentsRequest MakeImport() {
  v1::ImportCommentsRequest request;
  request.set_parent("articles/a");
  request.set_source("disqus:forum");
  v1::ImportedComment& comment = *request.add_comments();
  comment.set_source_id("1");
  comment.set_state(v1::COMMENT_STATE_VISIBLE);
  comment.mutable_create_time();
  return request;
}

TEST(CheckImportComments, WantsAnArticleAndWhatEveryCommentMustHave) {
  EXPECT_EQ(Problems(CheckImportComments({})), "parent is required; comments is required");
  v1::ImportCommentsRequest request = MakeImport();
  EXPECT_EQ(CheckImportComments(request)->article_id, "a");
  EXPECT_EQ(CheckImportComments(request)->source, "disqus:forum");
  EXPECT_EQ(CheckImportComments(request)->comments.front().source_id(), "1");
  EXPECT_FALSE(CheckImportComments(request)->validate_only);
  request.add_comments();
  EXPECT_EQ(Problems(CheckImportComments(request)),
            "comments[1].create_time is required; comments[1].state is required");
  request.mutable_comments(1)->mutable_create_time();
  request.mutable_comments(1)->set_state(static_cast<v1::CommentState>(9));
  EXPECT_EQ(Problems(CheckImportComments(request)),
            "comments[1].state is not a value of CommentState");
}

TEST(CheckImportComments, WantsASourceOnlyForIdsOfIt) {
  v1::ImportCommentsRequest request = MakeImport();
  request.clear_source();
  EXPECT_EQ(Problems(CheckImportComments(request)),
            "source is required for comments with a source_id");
  request.mutable_comments(0)->clear_source_id();
  request.mutable_comments(0)->set_comment_id(kId);
  EXPECT_EQ(Problems(CheckImportComments(request)), "");
  request.set_source("a\nb");
  EXPECT_EQ(Problems(CheckImportComments(request)),
            "source has a control character or a line break");
}

TEST(CheckImportComments, TakesAThousandComments) {
  v1::ImportCommentsRequest request = MakeImport();
  while (request.comments_size() < 1000) *request.add_comments() = request.comments(0);
  EXPECT_EQ(CheckImportComments(request)->comments.size(), 1000);
  *request.add_comments() = request.comments(0);
  EXPECT_EQ(Problems(CheckImportComments(request)),
            "comments has 1001 comments; at most 1000 are allowed");
}

// The rules for single comments are the store's.
class FakeImports : public CommentImports {
 public:
  void ImportComments(CallContext, CommentImport import,
                      Callback<v1::ImportCommentsResponse> done) override {
    v1::ImportCommentsResponse response;
    response.set_comment_count(static_cast<int64_t>(import.comments.size()));
    std::move(done)(std::move(response));
  }
};

TEST(ImportComments, IsNotForCallersWhoWriteOnlyAsOnePerson) {
  FakeImports imports;
  Caller caller{.identity = "jwt:ana", .person = "ana"};
  const auto import = [&] {
    return Await<v1::ImportCommentsResponse>([&](auto done) {
      ImportComments(imports, {.caller = std::make_shared<Caller>(caller)}, MakeImport(),
                     std::move(done));
    });
  };
  EXPECT_EQ(import()->comment_count(), 1);
  caller.writes_only_as_person = true;
  EXPECT_EQ(import().status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ReasonOf(import().status()), "METHOD_NOT_ALLOWED");
}

TEST(CheckEraseComment, IsADeletionByAModerator) {
  EXPECT_EQ(Problems(CheckEraseComment({})), "name is required");
  v1::EraseCommentRequest request;
  request.set_name(CommentName("a", kId));
  request.set_etag("7");
  request.set_allow_missing(true);
  EXPECT_EQ(CheckEraseComment(request)->comment.article_id, "a");
  EXPECT_EQ(CheckEraseComment(request)->comment.comment_id, kId);
  EXPECT_EQ(CheckEraseComment(request)->etag, "7");
  EXPECT_TRUE(CheckEraseComment(request)->allow_missing);
  EXPECT_TRUE(CheckEraseComment(request)->by_moderator);
  v1::DeleteCommentRequest by_author;
  by_author.set_name(request.name());
  EXPECT_FALSE(CheckDeleteComment(by_author)->by_moderator);
}

TEST(CheckInspectComment, WantsAName) {
  EXPECT_EQ(Problems(CheckInspectComment({})), "name is required");
  v1::InspectCommentRequest request;
  request.set_name(CommentName("a", kId));
  EXPECT_EQ(CheckInspectComment(request)->article_id, "a");
  EXPECT_EQ(CheckInspectComment(request)->comment_id, kId);
}

TEST(CheckModerateComment, WantsANameAndAState) {
  EXPECT_EQ(Problems(CheckModerateComment({})), "name is required; state is required");
  v1::ModerateCommentRequest request;
  request.set_name(CommentName("a", kId));
  request.set_etag("7");
  for (const auto state :
       {v1::COMMENT_STATE_VISIBLE, v1::COMMENT_STATE_HIDDEN, v1::COMMENT_STATE_PENDING}) {
    request.set_state(state);
    EXPECT_EQ(CheckModerateComment(request)->state, state);
    EXPECT_EQ(CheckModerateComment(request)->etag, "7");
  }
  for (const auto state : {v1::COMMENT_STATE_DELETED, static_cast<v1::CommentState>(77)}) {
    request.set_state(state);
    EXPECT_EQ(Problems(CheckModerateComment(request)), "state is not VISIBLE, HIDDEN or PENDING");
  }
}

TEST(CheckReportComment, WantsANameAndAReader) {
  EXPECT_EQ(Problems(CheckReportComment({})), "name is required; reporter_id is required");
  v1::ReportCommentRequest request;
  request.set_name(CommentName("a", kId));
  request.set_reporter_id("u");
  EXPECT_EQ(CheckReportComment(request)->comment.comment_id, kId);
  EXPECT_EQ(CheckReportComment(request)->reporter_id, "u");
  request.set_reporter_id(std::string(129, 'x'));
  EXPECT_THAT(Problems(CheckReportComment(request)), StartsWith("reporter_id "));
}

TEST(CheckListModerationQueue, OrdersByReportsInAnyState) {
  v1::ListModerationQueueRequest request;
  EXPECT_EQ(CheckListModerationQueue(request)->order, v1::MODERATION_ORDER_CREATE_TIME);
  request.set_order(v1::MODERATION_ORDER_REPORTS);
  EXPECT_EQ(CheckListModerationQueue(request)->order, v1::MODERATION_ORDER_REPORTS);
  request.set_state(v1::COMMENT_STATE_PENDING);
  EXPECT_EQ(Problems(CheckListModerationQueue(request)), "state must be unset with order REPORTS");
  request.clear_state();
  request.set_order(static_cast<v1::ModerationOrder>(77));
  EXPECT_EQ(Problems(CheckListModerationQueue(request)), "order is not CREATE_TIME or REPORTS");
}

TEST(CheckListModerationQueue, HasDefaultsAndLimits) {
  v1::ListModerationQueueRequest request;
  ASSERT_EQ(Problems(CheckListModerationQueue(request)), "");
  EXPECT_EQ(CheckListModerationQueue(request)->state, v1::COMMENT_STATE_PENDING);
  EXPECT_EQ(CheckListModerationQueue(request)->page_size, 25);
  request.set_page_size(1'000);
  EXPECT_EQ(CheckListModerationQueue(request)->page_size, 200);
}

TEST(CheckListModerationQueue, TakesPendingAndHidden) {
  v1::ListModerationQueueRequest request;
  for (const auto state : {v1::COMMENT_STATE_PENDING, v1::COMMENT_STATE_HIDDEN}) {
    request.set_state(state);
    EXPECT_EQ(CheckListModerationQueue(request)->state, state);
  }
  request.set_page_token(MakePageToken(QueryIdentity(request), "key"));
  EXPECT_EQ(CheckListModerationQueue(request)->after_key, "key");
  for (const auto state :
       {v1::COMMENT_STATE_VISIBLE, v1::COMMENT_STATE_DELETED, static_cast<v1::CommentState>(77)}) {
    request.set_state(state);
    EXPECT_EQ(Problems(CheckListModerationQueue(request)),
              absl::StrCat("state is neither PENDING nor HIDDEN; ", kForeignToken));
  }
}

// Accepts every write, and counts them.
class FakeWrites final : public CommentWrites {
 public:
  void CreateComment(CallContext, NewComment, Callback<v1::Comment> done) override {
    ++count;
    std::move(done)(v1::Comment());
  }
  void ReportComment(CallContext, CommentReport, Callback<void> done) override {
    ++count;
    std::move(done)(absl::OkStatus());
  }
  void UpdateComment(CallContext, CommentEdit, Callback<v1::Comment>) override { FAIL(); }
  void DeleteComment(CallContext, CommentDeletion, Callback<int64_t>) override { FAIL(); }
  void ModerateComment(CallContext, CommentModeration, Callback<v1::Comment>) override { FAIL(); }

  int count = 0;
};

// The status of a comment, and of a report, by user-1.
std::vector<absl::Status> WriteAsUser1(FakeWrites& writes, const CallContext& call) {
  std::vector<absl::Status> statuses;
  const auto add = [&statuses](const auto& answer) { statuses.push_back(answer.status()); };
  v1::CreateCommentRequest create;
  create.set_parent("articles/a");
  create.mutable_comment()->mutable_author()->set_id("user-1");
  create.mutable_comment()->mutable_author()->set_display_name("A Reader");
  create.mutable_comment()->set_body("text");
  const std::unique_ptr<access::Gate> gate = access::Gate::Start({}).value();
  CreateComment(*gate, writes, call, create, add);
  v1::ReportCommentRequest report;
  report.set_name(CommentName("a", kId));
  report.set_reporter_id("user-1");
  ReportComment(writes, call, report, add);
  return statuses;
}

TEST(Callers, WhoMayWriteOnlyAsOnePersonWriteAsNoOther) {
  FakeWrites writes;
  const CallContext call = {.caller = std::make_shared<Caller>(
                                Caller{.person = "user-2", .writes_only_as_person = true})};
  for (const absl::Status& status : WriteAsUser1(writes, call)) {
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
    EXPECT_EQ(ReasonOf(status), "AUTHOR_NOT_CALLER");
  }
  EXPECT_EQ(writes.count, 0);
}

TEST(Callers, MayWriteAsThemselvesOrIfNothingLimitsThemAsAnybody) {
  FakeWrites writes;
  const Caller self{.person = "user-1", .writes_only_as_person = true};
  const Caller unlimited{.person = "user-2"};
  for (const CallContext& call : {CallContext{.caller = std::make_shared<Caller>(self)},
                                  CallContext{.caller = std::make_shared<Caller>(unlimited)},
                                  CallContext{.caller = std::make_shared<Caller>()}}) {
    for (const absl::Status& status : WriteAsUser1(writes, call))
      EXPECT_TRUE(status.ok()) << status;
  }
  EXPECT_EQ(writes.count, 6);
}

}  // namespace
}  // namespace content::api
