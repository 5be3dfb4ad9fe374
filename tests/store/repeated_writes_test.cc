#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/digest.h"
#include "store/store_fixture.h"
#include "support/missing_standby.h"
#include "support/nodes.h"
#include "support/proxy.h"

namespace content::store {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::Proxy;
using ::testing::SizeIs;

constexpr char kRequestId[] = "2b6f2a4e-6a0e-4b62-9c0e-0d9d0f3f7a11";

// Fingerprints of two requests.
const std::string kThis = absl::BytesToHexString(Digest({"this"}));
const std::string kOther = absl::BytesToHexString(Digest({"other"}));

// Answers as text, so that those of all writes can be compared alike.

std::string Text(const google::protobuf::Message& message) { return message.DebugString(); }

std::string Text(int64_t revision) { return absl::StrCat(revision); }

std::string Text(const PublishedArticle& published) {
  return absl::StrCat(v1::PublishOutcome_Name(published.outcome), " ", Text(published.article));
}

// A kind of write to the article `post` or to one of its comments.
class Write {
 public:
  using Answer = absl::StatusOr<std::string>;

  virtual ~Write() = default;

  // Writes. Done a second time, it would change something again, or fail.
  virtual Answer Do(Store& store, const CommentRef& comment, const RequestKey& request) = 0;

  // Undoes the change, if that is possible. Returns whether it did.
  virtual bool Undo(Store& /*store*/, const CommentRef& /*comment*/) { return false; }
};

template <class T>
Write::Answer ToText(const absl::StatusOr<T>& answer) {
  if (!answer.ok()) return answer.status();
  return Text(*answer);
}

// Calls a method of the store and waits for its answer.
template <class T, class Role, class Change>
Write::Answer Call(Store& store, void (Role::*method)(CallContext, Change, Callback<T>),
                   Change change) {
  return ToText(
      Await<T>([&](auto done) { (store.*method)({}, std::move(change), std::move(done)); }));
}

class Creating : public Write {
  Answer Do(Store& store, const CommentRef& comment, const RequestKey& request) override {
    NewComment reply;
    reply.article_id = comment.article_id;
    reply.reply_to = comment;
    reply.author.set_id("user-2");
    reply.author.set_display_name("B");
    reply.body = "reply";
    reply.request = request;
    return Call(store, &Store::CreateComment, reply);
  }
};

class Editing : public Write {
  Answer Do(Store& store, const CommentRef& comment, const RequestKey& request) override {
    return Rewrite(store, comment, "edited", request);
  }
  bool Undo(Store& store, const CommentRef& comment) override {
    return Rewrite(store, comment, "hello", {}).ok();
  }
  static Answer Rewrite(Store& store, const CommentRef& comment, const std::string& body,
                        const RequestKey& request) {
    return Call(store, &Store::UpdateComment,
                CommentEdit{.comment = comment, .body = body, .request = request});
  }
};

class Deleting : public Write {
  Answer Do(Store& store, const CommentRef& comment, const RequestKey& request) override {
    return Call(store, &Store::DeleteComment,
                CommentDeletion{.comment = comment, .etag = "2", .request = request});
  }
};

class Moderating : public Write {
  Answer Do(Store& store, const CommentRef& comment, const RequestKey& request) override {
    return Move(store, comment, v1::COMMENT_STATE_HIDDEN, request);
  }
  bool Undo(Store& store, const CommentRef& comment) override {
    return Move(store, comment, v1::COMMENT_STATE_VISIBLE, {}).ok();
  }
  static Answer Move(Store& store, const CommentRef& comment, v1::CommentState state,
                     const RequestKey& request) {
    return Call(store, &Store::ModerateComment,
                CommentModeration{.comment = comment, .state = state, .request = request});
  }
};

class Publishing : public Write {
  Answer Do(Store& store, const CommentRef& comment, const RequestKey& request) override {
    return Put(store, MakeArticle(comment.article_id, "Other text."), request);
  }
  bool Undo(Store& store, const CommentRef& comment) override {
    return Put(store, MakeArticle(comment.article_id), {}).ok();
  }

 protected:
  static Answer Put(Store& store, const v1::Article& article, const RequestKey& request) {
    return ToText(Await<PublishedArticle>([&](auto done) {
      store.PublishArticle({}, article, {.request = request}, std::move(done));
    }));
  }
};

class PublishingNew : public Publishing {
  Answer Do(Store& store, const CommentRef& /*comment*/, const RequestKey& request) override {
    return Put(store, MakeArticle("new"), request);
  }
  bool Undo(Store& store, const CommentRef& /*comment*/) override {
    return Put(store, MakeArticle("new", "Other text."), {}).ok();
  }
};

class EditingArticle : public Write {
  Answer Do(Store& store, const CommentRef& comment, const RequestKey& request) override {
    return Summarise(store, comment, "edited", request);
  }
  bool Undo(Store& store, const CommentRef& comment) override {
    return Summarise(store, comment, "", {}).ok();
  }
  static Answer Summarise(Store& store, const CommentRef& comment, const std::string& summary,
                          const RequestKey& request) {
    v1::Article article;
    article.set_summary(summary);
    return Call(store, &Store::UpdateArticle,
                ArticleEdit{.id = comment.article_id,
                            .article = article,
                            .paths = {"summary"},
                            .request = request});
  }
};

class Renaming : public Write {
  Answer Do(Store& store, const CommentRef& comment, const RequestKey& request) override {
    return Name(store, comment, "renamed", request);
  }
  bool Undo(Store& store, const CommentRef& comment) override {
    return Name(store, comment, comment.article_id, {}).ok();
  }
  static Answer Name(Store& store, const CommentRef& comment, const std::string& name,
                     const RequestKey& request) {
    return Call(store, &Store::RenameArticle,
                ArticleRename{.id = comment.article_id, .new_id = name, .request = request});
  }
};

class Retracting : public Publishing {
  Answer Do(Store& store, const CommentRef& comment, const RequestKey& request) override {
    return Call(store, &Store::RetractArticle,
                ArticleRetraction{.id = comment.article_id, .request = request});
  }
};

template <class Kind>
class EveryWriteTest : public StoreTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(Publish(MakeArticle("post")).ok());
    comment_ = *ParseCommentName(Add("post", "hello"));
  }

  Write::Answer Do(Store& store, const RequestKey& request) {
    return write_->Do(store, comment_, request);
  }

  // Number of writes to any article since SetUp.
  int Writes() { return std::stoi(Sql("SELECT sum(revision) - 2 FROM article_state")); }

  const std::unique_ptr<Write> write_ = std::make_unique<Kind>();
  CommentRef comment_;
};

using Kinds = ::testing::Types<Creating, Editing, Deleting, Moderating, Publishing, PublishingNew,
                               EditingArticle, Renaming, Retracting>;
TYPED_TEST_SUITE(EveryWriteTest, Kinds);

TYPED_TEST(EveryWriteTest, IsDoneOnceAndRepeatsItsAnswer) {
  const auto first = this->Do(*this->store_, {kRequestId, kThis});
  ASSERT_TRUE(first.ok()) << first.status();
  const auto again = this->Do(*this->store_, {kRequestId, kThis});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, *first);
  EXPECT_EQ(this->Writes(), 1);
}

TYPED_TEST(EveryWriteTest, IsDoneOnceByConcurrentCallers) {
  std::mutex mutex;
  std::set<std::string> answers;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 8; ++i) {
      callers.emplace_back([&] {
        const auto answer = this->Do(*this->store_, {kRequestId, kThis});
        const std::lock_guard lock(mutex);
        answers.insert(answer.ok() ? *answer : answer.status().ToString());
      });
    }
  }
  EXPECT_THAT(answers, SizeIs(1));
  EXPECT_EQ(this->Writes(), 1);
  EXPECT_EQ(
      this->Sql(absl::StrCat("SELECT count(*) FROM request WHERE request_id = '", kRequestId, "'")),
      "1");
}

TYPED_TEST(EveryWriteTest, RefusesItsRequestIdForAnotherRequest) {
  ASSERT_TRUE(this->Do(*this->store_, {kRequestId, kThis}).ok());
  const auto other = this->Do(*this->store_, {kRequestId, kOther});
  EXPECT_EQ(ReasonOf(other.status()), "REQUEST_ID_REUSED");
  EXPECT_THAT(std::string(other.status().message()), HasSubstr(kRequestId));
  EXPECT_EQ(this->Writes(), 1);
}

TYPED_TEST(EveryWriteTest, IsDoneOnceIfTheConnectionBreaksAtTheCommit) {
  for (const auto cut : {Proxy::Cut::kBeforeCommit, Proxy::Cut::kAfterCommit}) {
    Proxy proxy(this->url_);
    const std::unique_ptr<Store> store = *this->Open(proxy.url());
    proxy.CutNextCommit(cut);
    const auto answer = this->Do(*store, {kRequestId, kThis});
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(this->Writes(), 1);
    EXPECT_EQ(*this->Do(*store, {kRequestId, kThis}), *answer);
  }
}

// The commit is there after the session has ended, but only on this host.
TYPED_TEST(EveryWriteTest, IsNotAcknowledgedBeforeAStandbyHasIt) {
  if (testing::OnCitus()) GTEST_SKIP() << "the workers have standbys of their own";
  const auto write = [this] { return this->Do(*this->store_, {kRequestId, kThis}); };
  const auto answer =
      testing::AnswerOnceAStandbyHasIt(this->url_, &testing::MissingStandby::Terminate, write);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(this->Writes(), 1);
  EXPECT_EQ(*testing::AnswerOnceAStandbyHasIt(this->url_, nullptr, write), *answer);
}

TYPED_TEST(EveryWriteTest, IsNotAcknowledgedIfItsWaitForAStandbyIsCancelled) {
  if (testing::OnCitus()) GTEST_SKIP() << "the workers have standbys of their own";
  const auto answer = testing::AnswerOnceAStandbyHasIt(
      this->url_, &testing::MissingStandby::Cancel, [this] { return this->Do(*this->store_, {}); });
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(this->Writes(), 1);
}

TYPED_TEST(EveryWriteTest, WithoutARequestIdIsDoneOnceToo) {
  Proxy proxy(this->url_);
  const std::unique_ptr<Store> store = *this->Open(proxy.url());
  std::atomic<bool> undone = false;  // set on a thread of the proxy
  proxy.CutNextCommit(Proxy::Cut::kAfterCommit,
                      [&] { undone = this->write_->Undo(*this->store_, this->comment_); });
  const auto answer = this->Do(*store, {});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(*answer, Not(HasSubstr("UNCHANGED")));
  EXPECT_EQ(this->Writes(), undone ? 2 : 1) << "a later change is not overwritten";
}

// Such as a repeated call whose first one was not answered, because no standby had it.
TEST_F(StoreTest, AWriteThatChangesNothingIsNotAcknowledgedBeforeAStandbyHasWhatIsThere) {
  if (testing::OnCitus()) GTEST_SKIP() << "the workers have standbys of their own";
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const auto published = testing::AnswerOnceAStandbyHasIt(
      url_, nullptr, [this] { return Publish(MakeArticle("post")); });
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(published->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
  EXPECT_EQ(published->article.revision(), 1);
}

// The commit is there, and Citus reports an internal error.
TEST_F(StoreTest, ACommentIsWrittenOnceIfItsWorkerEndsTheSessionThatCommits) {
  if (!testing::OnCitus()) GTEST_SKIP() << "there are no workers";
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const std::string worker = testing::Query(
      url_,
      "SELECT nodename FROM citus_shards WHERE table_name = 'comment'::regclass AND shardid = "
      "get_shard_id_for_distribution_column('comment', (SELECT bucket FROM article_state))");
  for (const std::string& url : testing::UrlsOnNodes(url_)) {
    if (!absl::StrContains(url, worker)) continue;
    const auto answer =
        testing::AnswerOnceAStandbyHasIt(url, &testing::MissingStandby::Terminate,
                                         [this] { return Create(MakeComment("post", "once")); });
    ASSERT_TRUE(answer.ok()) << answer.status();
  }
  EXPECT_EQ(testing::Query(url_, "SELECT count(*) FROM comment"), "1");
}

}  // namespace
}  // namespace content::store
