#include "api/audit.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/time/time.h"
#include "api/identity.h"
#include "content/page_token.h"
#include "unit/api/problems.h"

namespace content::api {
namespace {

constexpr char kTokenOfAnotherList[] = "page_token is not a next_page_token of this query";

TEST(CheckListAuditEvents, HasDefaultsAndLimits) {
  v1::ListAuditEventsRequest request;
  const auto query = CheckListAuditEvents(request);
  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_EQ(query->page_size, 25);
  EXPECT_EQ(query->article_id, "");
  EXPECT_EQ(query->action, v1::AUDIT_ACTION_UNSPECIFIED);
  EXPECT_EQ(query->start_time, absl::InfinitePast());
  EXPECT_EQ(query->end_time, absl::InfiniteFuture());
  request.set_page_size(1'000);
  EXPECT_EQ(CheckListAuditEvents(request)->page_size, 200);
}

TEST(CheckListAuditEvents, TakesEveryFilter) {
  v1::ListAuditEventsRequest request;
  request.set_article("articles/a");
  request.set_caller("cn:desk");
  request.set_person_id("ana");
  request.set_author_id("troll");
  request.set_action(v1::AUDIT_ACTION_BLOCK_AUTHOR);
  request.mutable_start_time()->set_seconds(10);
  request.mutable_end_time()->set_seconds(20);
  request.mutable_end_time()->set_nanos(3'000);
  const auto query = CheckListAuditEvents(request);
  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_EQ(query->article_id, "a");
  EXPECT_EQ(query->caller, "cn:desk");
  EXPECT_EQ(query->person_id, "ana");
  EXPECT_EQ(query->author_id, "troll");
  EXPECT_EQ(query->action, v1::AUDIT_ACTION_BLOCK_AUTHOR);
  EXPECT_EQ(query->start_time, absl::FromUnixSeconds(10));
  EXPECT_EQ(query->end_time, absl::FromUnixMicros(20'000'003));
}

TEST(CheckListAuditEvents, NamesEveryProblem) {
  v1::ListAuditEventsRequest request;
  request.set_page_size(-1);
  request.set_article("a");
  request.set_caller("a\nb");
  request.set_action(static_cast<v1::AuditAction>(77));
  request.mutable_start_time()->set_nanos(-1);
  request.set_page_token("x");
  const std::string problems = Problems(CheckListAuditEvents(request));
  for (const char* const field :
       {"page_size is negative", "article is not articles/{id}", "caller ", "action is not known",
        "start_time ", kTokenOfAnotherList}) {
    EXPECT_NE(problems.find(field), std::string::npos) << field << ": " << problems;
  }
}

TEST(CheckListAuditEvents, BindsTokensToTheFilters) {
  v1::ListAuditEventsRequest request;
  request.set_caller("cn:desk");
  request.set_page_token(MakePageToken(QueryIdentity(request), "key"));
  request.set_page_size(3);
  EXPECT_EQ(CheckListAuditEvents(request)->after_key, "key");
  request.mutable_end_time()->set_seconds(1);
  EXPECT_EQ(Problems(CheckListAuditEvents(request)), kTokenOfAnotherList);
  request.clear_end_time();
  request.set_caller("cn:other");
  EXPECT_EQ(Problems(CheckListAuditEvents(request)), kTokenOfAnotherList);
}

class FakeTrail final : public AuditTrail {
 public:
  void ListAuditEvents(CallContext, AuditQuery query,
                       Callback<Page<v1::AuditEvent>> done) override {
    Page<v1::AuditEvent> page;
    page.items.emplace_back().set_caller(query.caller);
    page.next_key = "key";
    std::move(done)(std::move(page));
  }
};

TEST(ListAuditEvents, AnswersWithAPageAndTheTokenOfTheNext) {
  FakeTrail trail;
  v1::ListAuditEventsRequest request;
  request.set_caller("cn:desk");
  absl::StatusOr<v1::ListAuditEventsResponse> answer;
  ListAuditEvents(trail, {}, request, [&](absl::StatusOr<v1::ListAuditEventsResponse> response) {
    answer = std::move(response);
  });
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_EQ(answer->events_size(), 1);
  EXPECT_EQ(answer->events(0).caller(), "cn:desk");
  request.set_page_token(answer->next_page_token());
  EXPECT_EQ(CheckListAuditEvents(request)->after_key, "key");
}

}  // namespace
}  // namespace content::api
