#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/digest.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

constexpr char kRequestId[] = "2b6f2a4e-6a0e-4b62-9c0e-0d9d0f3f7a11";

// Fingerprint of a request.
const std::string kThis = absl::BytesToHexString(Digest({"this"}));

class ForgetRequestsTest : public StoreTest {
 protected:
  void SetUp() override { ASSERT_TRUE(Publish(MakeArticle("post")).ok()); }

  NewComment MakeRequest() {
    NewComment comment = MakeComment("post", "once");
    comment.request = {kRequestId, kThis};
    return comment;
  }

  ForgottenRequests Forget(absl::Duration retention) {
    auto forgotten = Await<ForgottenRequests>(
        [&](auto done) { store_->ForgetRequests({}, retention, std::move(done)); });
    EXPECT_TRUE(forgotten.ok()) << forgotten.status();
    return forgotten.value_or(ForgottenRequests());
  }

  // Makes the stored requests older.
  void Age(const std::string& interval) {
    Sql(absl::StrCat("UPDATE request SET create_time = create_time - interval '", interval, "'"));
  }
};

constexpr absl::Duration kDay = absl::Hours(24);

TEST_F(ForgetRequestsTest, ForgetsALimitedNumberOfOldRequestsAtATime) {
  Sql("INSERT INTO request SELECT 'post', gen_random_uuid(), '', NULL, now() - interval '2 days', "
      "1, 0 FROM generate_series(1, 1500)");
  ASSERT_TRUE(Create(MakeRequest()).ok());
  EXPECT_EQ(Forget(kDay).count, 1000);
  EXPECT_EQ(Forget(kDay).count, 500);
  EXPECT_EQ(Forget(kDay).count, 0);
  EXPECT_EQ(Create(MakeRequest())->article_revision(), 2);
  EXPECT_EQ(GetOne("post").comment_count(), 1);
  Sql(absl::StrCat("DELETE FROM request WHERE request_id <> '", kRequestId, "'"));
  Age("25 hours");
  EXPECT_EQ(Forget(kDay).count, 1);
  EXPECT_EQ(Create(MakeRequest())->article_revision(), 3) << "it was forgotten, and done again";
}

TEST_F(ForgetRequestsTest, TheLongestRetentionWins) {
  ASSERT_TRUE(Create(MakeRequest()).ok());
  Age("1 hour");
  EXPECT_EQ(store_->RequestRetention(), absl::ZeroDuration());
  EXPECT_EQ(Forget(kDay).retention, kDay);
  const ForgottenRequests forgotten = Forget(absl::Seconds(1));
  EXPECT_EQ(forgotten.count, 0);
  EXPECT_EQ(forgotten.retention, kDay);
  EXPECT_EQ(store_->RequestRetention(), kDay);
  EXPECT_EQ(Create(MakeRequest())->article_revision(), 2);
}

TEST_F(ForgetRequestsTest, ARetentionEndsWhenNoRequestWasPromisedIt) {
  ASSERT_TRUE(Create(MakeRequest()).ok());
  Age("1 hour");
  Forget(kDay);
  // The last server that had it is gone.
  Sql("UPDATE request_retention SET used_time = used_time - interval '23 hours'");
  EXPECT_EQ(Forget(absl::Seconds(1)).retention, kDay) << "requests may still be younger";
  Sql("UPDATE request_retention SET used_time = used_time - interval '2 hours'");
  const ForgottenRequests forgotten = Forget(absl::Seconds(1));
  EXPECT_EQ(forgotten.retention, absl::Seconds(1));
  EXPECT_EQ(forgotten.count, 2) << "the comment, and publishing the article";
}

TEST_F(ForgetRequestsTest, ConcurrentCallsForgetEachRequestOnce) {
  Sql("DELETE FROM request");  // the record of publishing the article
  Sql("INSERT INTO request SELECT 'post', gen_random_uuid(), '', NULL, now() - interval '2 days', "
      "1, 0 FROM generate_series(1, 5000)");
  std::atomic<int64_t> forgotten = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 2; ++i) {
      callers.emplace_back([&] {
        for (int64_t some = 1; some > 0; forgotten += some) some = Forget(kDay).count;
      });
    }
  }
  EXPECT_EQ(forgotten, 5000);
}

}  // namespace
}  // namespace content::store
