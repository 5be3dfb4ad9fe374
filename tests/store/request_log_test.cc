#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "store/store_fixture.h"
#include "support/proxy.h"

namespace content::store {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::Proxy;
using ::testing::SizeIs;

constexpr char kRequestId[] = "2b6f2a4e-6a0e-4b62-9c0e-0d9d0f3f7a11";

// Digests of what was asked for, as the service makes them of a request.
const std::string kThis = absl::BytesToHexString(Digest({"this"}));
const std::string kOther = absl::BytesToHexString(Digest({"other"}));

// postgres::Answers as text, so that those of all writes can be compared.

std::string Text(const google::protobuf::Message& message) { return message.DebugString(); }

std::string Text(int64_t revision) { return absl::StrCat(revision); }

std::string Text(const PublishedArticle& published) {
  return absl::StrCat(v1::PublishOutcome_Name(published.outcome), " ", Text(published.article));
}

// One kind of write, to an article `post` with the comment that is given.
class Write {
 public:
  using Answer = absl::StatusOr<std::string>;

  virtual ~Write() = default;

  /// Changes something. Done a second time, it would change something again, or fail.
  virtual Answer Do(Store& store, const CommentRef& comment, const RequestKey& request) = 0;

  /// Does what makes the change undone, if anything can.
  virtual bool Undo(Store& /*store*/, const CommentRef& /*comment*/) { return false; }
};

template <class T>
Write::Answer ToText(const absl::StatusOr<T>& answer) {
  if (!answer.ok()) return answer.status();
  return Text(*answer);
}

// Calls a method of the store and waits for its answer.
template <class T, class Role, class Change>
Write::Answer Call(Role& store, void (Role::*method)(CallContext, Change, Callback<T>),
                   Change change) {
  return ToText(
      Await<T>([&](auto done) { (store.*method)({}, std::move(change), std::move(done)); }));
}

class Creating : public Write {
  Answer Do(Store& store, const CommentRef& comment, const RequestKey& request) override {
    NewComment reply;
    reply.article_id = comment.article_id;
    reply.create_time = absl::Now();
    reply.comment_id = NewUuid(reply.create_time);
    reply.reply_to_id = comment.comment_id;
    reply.author.set_id("user-2");
    reply.author.set_display_name("B");
    reply.body = "reply";
    reply.request = request;
    return Call(static_cast<CommentWrites&>(store), &CommentWrites::CreateComment, reply);
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
    return Call(static_cast<CommentWrites&>(store), &CommentWrites::UpdateComment,
                CommentEdit{.comment = comment, .body = body, .request = request});
  }
};

class Deleting : public Write {
  Answer Do(Store& store, const CommentRef& comment, const RequestKey& request) override {
    return Call(static_cast<CommentWrites&>(store), &CommentWrites::DeleteComment,
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
    return Call(static_cast<CommentWrites&>(store), &CommentWrites::ModerateComment,
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
    return Call(static_cast<content::Publishing&>(store), &content::Publishing::UpdateArticle,
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
    return Call(static_cast<content::Publishing&>(store), &content::Publishing::RenameArticle,
                ArticleRenaming{.id = comment.article_id, .new_id = name, .request = request});
  }
};

class Retracting : public Publishing {
  Answer Do(Store& store, const CommentRef& comment, const RequestKey& request) override {
    return Call(static_cast<content::Publishing&>(store), &content::Publishing::RetractArticle,
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

  // Of whatever article, since it was set up.
  int Writes() { return std::stoi(Sql("SELECT sum(revision) - 2 FROM article_state")); }

  const std::unique_ptr<Write> write_ = std::make_unique<Kind>();
  CommentRef comment_;
};

using Kinds = ::testing::Types<Creating, Editing, Deleting, Moderating, Publishing, PublishingNew,
                               EditingArticle, Renaming, Retracting>;
TYPED_TEST_SUITE(EveryWriteTest, Kinds);

TYPED_TEST(EveryWriteTest, IsDoneOnceAndAnswersAgainAsItDid) {
  const auto first = this->Do(*this->store_, {kRequestId, kThis});
  ASSERT_TRUE(first.ok()) << first.status();
  const auto again = this->Do(*this->store_, {kRequestId, kThis});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, *first);
  EXPECT_EQ(this->Writes(), 1);
}

TYPED_TEST(EveryWriteTest, IsDoneOnceByCallersAtTheSameTime) {
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

TYPED_TEST(EveryWriteTest, RefusesItsRequestIdForAnythingElse) {
  ASSERT_TRUE(this->Do(*this->store_, {kRequestId, kThis}).ok());
  const auto other = this->Do(*this->store_, {kRequestId, kOther});
  EXPECT_EQ(ReasonOf(other.status()), "REQUEST_ID_REUSED");
  EXPECT_THAT(std::string(other.status().message()), HasSubstr(kRequestId));
  EXPECT_EQ(this->Writes(), 1);
}

TYPED_TEST(EveryWriteTest, IsDoneOnceIfTheConnectionBreaksAtItsCommit) {
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

TYPED_TEST(EveryWriteTest, WithoutARequestIdIsDoneOnceAsWellIfTheConnectionBreaksAtItsCommit) {
  Proxy proxy(this->url_);
  const std::unique_ptr<Store> store = *this->Open(proxy.url());
  std::atomic<bool> undone = false;  // set on a thread of the proxy
  proxy.CutNextCommit(Proxy::Cut::kAfterCommit,
                      [&] { undone = this->write_->Undo(*this->store_, this->comment_); });
  const auto answer = this->Do(*store, {});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(*answer, Not(HasSubstr("UNCHANGED")));
  EXPECT_EQ(this->Writes(), undone ? 2 : 1) << "what came later is not overwritten";
}

class RequestsTest : public StoreTest {
 protected:
  void SetUp() override { ASSERT_TRUE(Publish(MakeArticle("post")).ok()); }

  NewComment MakeRequest() {
    NewComment comment = MakeComment("post", "once");
    comment.request = {kRequestId, kThis};
    return comment;
  }

  absl::StatusOr<int64_t> Forget(absl::Time before) {
    return Await<int64_t>([&](auto done) { store_->ForgetRequests({}, before, std::move(done)); });
  }
};

TEST_F(RequestsTest, ARepeatedWriteAnswersWithTheCommentAsItStandsByThen) {
  const auto first = Create(MakeRequest());
  ASSERT_TRUE(Update({.comment = *ParseCommentName(first->name()), .body = "edited"}).ok());
  Add("post", "another");
  const auto again = Create(MakeRequest());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->name(), first->name());
  EXPECT_EQ(again->body(), "edited");
  EXPECT_EQ(again->revision(), 3);
  EXPECT_EQ(again->article_revision(), 2) << "of the write itself";

  ASSERT_TRUE(Delete(first->name()).ok());
  EXPECT_EQ(Create(MakeRequest())->body(), "");
  ASSERT_TRUE(Retract("post").ok());
  EXPECT_EQ(Create(MakeRequest())->name(), first->name()) << "it was done when it could be";
  EXPECT_EQ(Sql("SELECT count(*) FROM comment"), "2");
}

TEST_F(RequestsTest, ARepeatedPublishingAnswersWithItsOwnOutcomeAndTheArticleAsItStandsByThen) {
  const PublishOptions options{.request = {kRequestId, kThis}};
  EXPECT_EQ(Publish(MakeArticle("new"), options)->outcome, v1::PUBLISH_OUTCOME_CREATED);
  ASSERT_TRUE(Publish(MakeArticle("new", "Other text.")).ok());
  const auto again = Publish(MakeArticle("new"), options);
  EXPECT_EQ(again->outcome, v1::PUBLISH_OUTCOME_CREATED);
  EXPECT_EQ(again->article.body(), "Other text.");
  EXPECT_EQ(Publish(MakeArticle("new", "Other text."), {.request = {NewUuid(absl::Now()), kThis}})
                ->outcome,
            v1::PUBLISH_OUTCOME_UNCHANGED);
}

TEST_F(RequestsTest, WhatFailsLeavesItsIdToAnotherRequest) {
  EXPECT_EQ(
      ReasonOf(Delete({.comment = {"post", NewUuid(absl::Now())}, .request = {kRequestId, kOther}})
                   .status()),
      "COMMENT_NOT_FOUND");
  v1::Article stale = MakeArticle("post", "Other text.");
  stale.set_etag("7");
  EXPECT_EQ(ReasonOf(Publish(stale, {.request = {kRequestId, kOther}}).status()), "ETAG_MISMATCH");
  NewComment orphan = MakeComment("post", "x", CommentName("post", NewUuid(absl::Now())));
  orphan.request = {kRequestId, kOther};
  EXPECT_EQ(ReasonOf(Create(orphan).status()), "COMMENT_NOT_FOUND");
  EXPECT_TRUE(Create(MakeRequest()).ok());
}

TEST_F(RequestsTest, ValidatingUsesNoIdUpButTellsThatItIsUsed) {
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
                   .request = {NewUuid(absl::Now()), kThis}};
  ASSERT_TRUE(Update(edit).ok());
  edit.validate_only = true;
  EXPECT_EQ(Update(edit)->body(), "edited");
  EXPECT_EQ(Update(edit)->etag(), "");
  EXPECT_EQ(Update(edit)->article_revision(), 0);

  PublishOptions options{.request = {NewUuid(absl::Now()), kThis}};
  ASSERT_TRUE(Publish(MakeArticle("post", "Other text."), options).ok());
  options.validate_only = true;
  const auto preview = Publish(MakeArticle("post", "Other text."), options);
  EXPECT_EQ(preview->outcome, v1::PUBLISH_OUTCOME_UNSPECIFIED);
  EXPECT_EQ(preview->article.etag(), "");
}

TEST_F(RequestsTest, WhatChangesNothingIsRememberedForCallersOnly) {
  const std::string count = "SELECT count(*) FROM request";
  const std::string before = Sql(count);
  EXPECT_EQ(Publish(MakeArticle("post"))->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
  EXPECT_EQ(Sql(count), before);
  const PublishOptions with_id{.request = {kRequestId, kThis}};
  EXPECT_EQ(Publish(MakeArticle("post"), with_id)->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
  EXPECT_NE(Sql(count), before);
}

TEST_F(RequestsTest, WhatChangesNothingIsNeverInDoubt) {
  const std::string name = Add("post", "text");
  Proxy proxy(url_);
  std::unique_ptr<Store> store = *Open(proxy.url());
  store_.swap(store);
  proxy.CutNextCommit(Proxy::Cut::kBeforeCommit, [] { ADD_FAILURE() << "there is a commit"; });
  EXPECT_EQ(Publish(MakeArticle("post"))->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
  EXPECT_TRUE(Moderate(name, v1::COMMENT_STATE_VISIBLE).ok());
  store_.swap(store);
}

TEST_F(RequestsTest, AnIdBelongsToItsArticle) {
  ASSERT_TRUE(Publish(MakeArticle("other")).ok());
  ASSERT_TRUE(Create(MakeRequest()).ok());
  NewComment elsewhere = MakeRequest();
  elsewhere.article_id = "other";
  elsewhere.request.fingerprint = kOther;
  EXPECT_TRUE(Create(elsewhere).ok());
  ASSERT_TRUE(Rename({.id = "post", .new_id = "renamed"}).ok());
  NewComment again = MakeRequest();
  again.article_id = "renamed";
  EXPECT_EQ(Create(again)->article_revision(), 2) << "whatever the article is called";
}

TEST_F(RequestsTest, ForgetsWhatIsOldSomeAtATime) {
  Sql("INSERT INTO request SELECT 'post', gen_random_uuid(), '', NULL, now() - interval '2 days', "
      "1, 0 FROM generate_series(1, 1500)");
  ASSERT_TRUE(Create(MakeRequest()).ok());
  const absl::Time yesterday = absl::Now() - absl::Hours(24);
  EXPECT_EQ(*Forget(yesterday), 1000);
  EXPECT_EQ(*Forget(yesterday), 500);
  EXPECT_EQ(*Forget(yesterday), 0);
  EXPECT_EQ(Create(MakeRequest())->article_revision(), 2);
  EXPECT_EQ(GetOne("post").comment_count(), 1);
  Sql(absl::StrCat("DELETE FROM request WHERE request_id <> '", kRequestId, "'"));
  EXPECT_EQ(*Forget(absl::Now() + absl::Hours(1)), 1);
  EXPECT_EQ(Create(MakeRequest())->article_revision(), 3) << "forgotten, and done again";
}

TEST_F(RequestsTest, TwoWhoForgetAtTheSameTimeTakeTurns) {
  Sql("DELETE FROM request");  // the server's own, of the article's publishing
  Sql("INSERT INTO request SELECT 'post', gen_random_uuid(), '', NULL, now() - interval '2 days', "
      "1, 0 FROM generate_series(1, 5000)");
  std::atomic<int64_t> forgotten = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 2; ++i) {
      callers.emplace_back([&] {
        for (int64_t some = 1; some > 0; forgotten += some) {
          some = Forget(absl::Now()).value_or(0);
        }
      });
    }
  }
  EXPECT_EQ(forgotten, 5000);
}

}  // namespace
}  // namespace content::store
