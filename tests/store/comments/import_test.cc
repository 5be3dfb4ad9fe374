#include "store/comments/import.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "content/comment_import.h"
#include "google/protobuf/util/time_util.h"
#include "postgres/connection.h"
#include "postgres/dsn.h"
#include "store/called.h"
#include "store/change_notifier.h"
#include "store/comments/comment_fixture.h"
#include "store/names.h"
#include "store/store_fixture.h"
#include "support/locks.h"
#include "support/missing_standby.h"
#include "support/pending.h"
#include "support/proxy.h"

namespace content::store {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using testing::Pending;
using testing::Proxy;
using ::testing::SizeIs;
using ::testing::StartsWith;

class ImportCommentsTest : public CommentWriteTest {
 protected:
  using Imported = std::vector<v1::ImportedComment>;

  // A visible comment of 2020, of as many minutes past midnight as its id says. Its text is its id.
  static v1::ImportedComment From(int source_id, int reply_to = 0,
                                  v1::CommentState state = kVisible) {
    v1::ImportedComment comment;
    comment.set_source_id(absl::StrCat(source_id));
    if (reply_to != 0) comment.set_reply_to_source_id(absl::StrCat(reply_to));
    comment.mutable_author()->set_id("ana");
    comment.mutable_author()->set_display_name("Ana");
    comment.set_body(absl::StrCat(source_id));
    comment.set_state(state);
    comment.mutable_create_time()->set_seconds(1'577'836'800 + 60 * source_id);
    return comment;
  }

  static CommentImport ToPost(Imported comments) {
    return {.article_id = "post", .source = "disqus:forum", .comments = std::move(comments)};
  }

  absl::StatusOr<v1::ImportCommentsResponse> ImportTo(Store& store, CommentImport import) {
    return Await<v1::ImportCommentsResponse>(
        [&](auto done) { store.ImportComments({}, std::move(import), std::move(done)); });
  }

  v1::ImportCommentsResponse Answer(CommentImport import) {
    const size_t count = import.comments.size();
    auto answer = ImportTo(*store_, std::move(import));
    EXPECT_TRUE(answer.ok()) << answer.status();
    if (!answer.ok()) return {};
    EXPECT_EQ(answer->results_size(), count);
    return *std::move(answer);
  }

  // What became of each comment: `created`, `created parent_missing`, `refused body is required`.
  std::vector<std::string> Import(Imported comments) {
    return Texts(Answer(ToPost(std::move(comments))));
  }

  static std::vector<std::string> Texts(const v1::ImportCommentsResponse& answer) {
    std::vector<std::string> texts;
    for (const v1::CommentImportResult& result : answer.results()) {
      const auto word = [](const std::string& name, absl::string_view prefix) {
        return absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
      };
      std::vector<std::string> words = {
          word(v1::CommentImportOutcome_Name(result.outcome()), "COMMENT_IMPORT_OUTCOME_")};
      const bool is_refused = result.outcome() == v1::COMMENT_IMPORT_OUTCOME_REFUSED;
      EXPECT_EQ(result.name().empty(), is_refused);
      EXPECT_EQ(result.placement() == v1::THREAD_PLACEMENT_UNSPECIFIED, is_refused);
      if (!is_refused && result.placement() != v1::THREAD_PLACEMENT_AS_GIVEN) {
        words.push_back(word(v1::ThreadPlacement_Name(result.placement()), "THREAD_PLACEMENT_"));
      }
      for (const v1::CommentImportProblem& problem : result.problems()) {
        words.push_back(is_refused ? absl::StrCat(problem.field(), " ", problem.description())
                                   : problem.field());
      }
      texts.push_back(absl::StrJoin(words, " "));
    }
    return texts;
  }

  // The names of the comments that an import added, or found.
  std::vector<std::string> Names(Imported comments) {
    std::vector<std::string> names;
    const v1::ImportCommentsResponse answer = Answer(ToPost(std::move(comments)));
    for (const v1::CommentImportResult& result : answer.results()) names.push_back(result.name());
    return names;
  }

  v1::Comment Moderated(const std::string& name) {
    auto comment = InspectComment(name);
    EXPECT_TRUE(comment.ok()) << comment.status();
    return comment.ok() ? *std::move(comment) : v1::Comment();
  }

  // Texts in the order of the threads, each with its depth: `1 2> 3>>`. A placeholder is a `-`.
  std::string Threads() {
    std::vector<std::string> texts;
    CommentQuery query{.article_id = "post", .order = v1::COMMENT_ORDER_THREADED, .page_size = 200};
    do {
      const auto page = List(query);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      for (const v1::Comment& comment : page->page.items) {
        texts.push_back(absl::StrCat(comment.body().empty() ? "-" : comment.body(),
                                     std::string(static_cast<size_t>(comment.depth()), '>')));
      }
      query.after_key = page->page.next_key;
    } while (!query.after_key.empty());
    return absl::StrJoin(texts, " ");
  }

  std::vector<std::string> Oldest() {
    return ListBodies({.article_id = "post", .order = v1::COMMENT_ORDER_OLDEST, .page_size = 200});
  }

  int64_t Revision() {
    return std::stoll(Sql("SELECT revision FROM article_state WHERE name = 'post'"));
  }

  void ExpectNoDrift() {
    const auto verified = Verify({.article_id = "post"});
    ASSERT_TRUE(verified.ok()) << verified.status();
    for (const v1::CounterDrift& drift : verified->drifts) ADD_FAILURE() << drift.DebugString();
  }

  // What a watcher is sent after `revision`, in this order.
  std::vector<v1::Comment> Watched(int64_t revision) {
    std::vector<v1::Comment> all;
    CommentChanges changes{.comments = {}, .article_revision = revision, .complete = false};
    while (!changes.complete) {
      auto next = Await<CommentChanges>([&](auto done) {
        store_->ReadCommentChanges({}, "post", {.revision = changes.article_revision},
                                   std::move(done));
      });
      EXPECT_TRUE(next.ok()) << next.status();
      if (!next.ok()) break;
      changes = *std::move(next);
      all.insert(all.end(), changes.comments.begin(), changes.comments.end());
    }
    return all;
  }

  static Imported Chain(int length) {
    Imported chain;
    for (int i = 1; i <= length; ++i) chain.push_back(From(i, i - 1));
    return chain;
  }

  // Comments of which each replies to an earlier one, or to none, in states of all kinds.
  static Imported AtRandom(int count, unsigned seed) {
    std::mt19937 random(seed);
    Imported comments;
    for (int i = 1; i <= count; ++i) {
      const auto state = static_cast<v1::CommentState>(1 + random() % 4);
      comments.push_back(From(i, static_cast<int>(random() % static_cast<unsigned>(i)), state));
    }
    std::shuffle(comments.begin(), comments.end(), random);
    return comments;
  }
};

TEST_F(ImportCommentsTest, KeepAuthorTextStateAndTimes) {
  v1::ImportedComment edited = From(2, 1, kPending);
  edited.mutable_update_time()->set_seconds(1'600'000'000);
  edited.set_edit_count(3);
  const std::vector<std::string> names = Names({From(1), edited});
  const v1::Comment comment = Moderated(names[1]);
  EXPECT_EQ(comment.author().id(), "ana");
  EXPECT_EQ(comment.author().display_name(), "Ana");
  EXPECT_EQ(comment.body(), "2");
  EXPECT_EQ(comment.reply_to(), names[0]);
  EXPECT_EQ(comment.depth(), 1);
  EXPECT_EQ(comment.state(), kPending);
  EXPECT_EQ(TimeUtil::ToString(comment.create_time()), "2020-01-01T00:02:00Z");
  EXPECT_EQ(comment.update_time().seconds(), 1'600'000'000);
  EXPECT_EQ(comment.edit_count(), 3);
  EXPECT_EQ(ParseCommentName(names[1])->comment_id,
            SourceComment("disqus:forum", "2").IdAt(absl::FromUnixSeconds(1'577'836'920)));
  EXPECT_EQ(Moderated(names[0]).update_time().seconds(), 1'577'836'860);
}

TEST_F(ImportCommentsTest, AreInThreadsWhateverTheirOrderInTheCall) {
  EXPECT_THAT(Import({From(4, 3), From(3, 1), From(2), From(1)}), Each("created"));
  EXPECT_EQ(Threads(), "1 3> 4>> 2");
  EXPECT_THAT(Oldest(), ElementsAre("1", "2", "3", "4"));
  EXPECT_EQ(CommentCount(), 4);
  ExpectNoDrift();
}

TEST_F(ImportCommentsTest, AnswerWithTheArticleAfterTheCall) {
  const int64_t before = Revision();
  const v1::ImportCommentsResponse answer =
      Answer(ToPost({From(1), From(2, 1, kHidden), From(3, 2)}));
  EXPECT_EQ(answer.article_revision(), before + 3);
  EXPECT_EQ(answer.article_revision(), Revision());
  EXPECT_EQ(answer.comment_count(), 2);
  EXPECT_EQ(GetOne("post").revision(), answer.article_revision());
}

TEST_F(ImportCommentsTest, FindTheirParentsInEarlierCalls) {
  ASSERT_TRUE(Rename({.id = "post", .new_id = "moved"}).ok());
  ASSERT_TRUE(Publish(MakeArticle("elsewhere")).ok());
  const std::vector<std::string> names = Names({From(1), From(2, 1)});
  EXPECT_EQ(ParseCommentName(names[0])->article_id, "moved");
  v1::ImportedComment by_name = From(4);
  by_name.set_reply_to(CommentName("post", ParseCommentName(names[1])->comment_id));
  v1::ImportedComment of_another = From(5);
  of_another.set_reply_to(CommentName("elsewhere", ParseCommentName(names[1])->comment_id));
  EXPECT_THAT(Import({From(3, 2), by_name, of_another, From(6, 4)}),
              ElementsAre("created", "created", "created parent_missing", "created"));
  EXPECT_EQ(Threads(), "1 2> 3>> 4>> 6>>> 5");
  ExpectNoDrift();
}

TEST_F(ImportCommentsTest, OfAnotherSourceAreOthers) {
  EXPECT_THAT(Import({From(1)}), Each("created"));
  CommentImport other = ToPost({From(1), From(2, 1)});
  other.source = "isso:blog";
  EXPECT_THAT(Texts(Answer(other)), Each("created"));
  EXPECT_EQ(CommentCount(), 3);
}

// ---- Again ----

TEST_F(ImportCommentsTest, AreNotAddedTwice) {
  const Imported comments = AtRandom(50, 1);
  const std::vector<std::string> names = Names(comments);
  const int64_t revision = Revision();
  const std::string before = EverythingReadersGet(names);
  EXPECT_THAT(Import(comments), Each("unchanged"));
  EXPECT_EQ(Names(comments), names);
  EXPECT_EQ(Revision(), revision);
  EXPECT_EQ(EverythingReadersGet(names), before);
}

TEST_F(ImportCommentsTest, OfANewerExportAreAdded) {
  Import({From(1), From(2, 1)});
  EXPECT_THAT(Import({From(1), From(2, 1), From(3, 2), From(4)}),
              ElementsAre("unchanged", "unchanged", "created", "created"));
  EXPECT_EQ(Threads(), "1 2> 3>> 4");
  ExpectNoDrift();
}

TEST_F(ImportCommentsTest, InACallTwiceAreAddedOnce) {
  v1::ImportedComment other = From(1);
  other.set_body("other words");
  EXPECT_THAT(Import({From(1), From(1), other}),
              ElementsAre("created", "unchanged", "conflict body"));
  EXPECT_THAT(Oldest(), ElementsAre("1"));
}

TEST_F(ImportCommentsTest, ThatWereChangedHereStayAsTheyAre) {
  const Imported comments = {From(1), From(2), From(3), From(4, 3), From(5, 0, kPending)};
  const std::vector<std::string> names = Names(comments);
  ASSERT_TRUE(Rewrite(names[0], "edited here").ok());
  ASSERT_TRUE(Moderate(names[1], kHidden).ok());
  ASSERT_TRUE(Delete(names[2]).ok());
  ASSERT_TRUE(Moderate(names[4], kVisible).ok());
  const int64_t revision = Revision();
  const std::string before = EverythingReadersGet(names);
  EXPECT_THAT(Import(comments), ElementsAre("conflict body", "conflict state", "conflict state",
                                            "unchanged", "conflict state"));
  EXPECT_EQ(Revision(), revision);
  EXPECT_EQ(EverythingReadersGet(names), before);
  // A newer export has a reply to one that was deleted here.
  EXPECT_THAT(Import({comments[2], From(6, 3)}), ElementsAre("conflict state", "created"));
  EXPECT_EQ(Threads(), "edited here - 4> 6> 5");
  ExpectNoDrift();
}

TEST_F(ImportCommentsTest, OfAnAuthorWhoWasErasedDoNotComeBack) {
  Import({From(1), From(2, 1)});
  while (!Erase("ana")->complete) {
  }
  EXPECT_THAT(Import({From(1), From(2, 1)}), Each("conflict state"));
  EXPECT_EQ(Sql("SELECT count(*) FROM comment WHERE author_id <> '' OR body <> ''"), "0");
}

TEST_F(ImportCommentsTest, ThatWereChangedInTheirSourceAreConflicts) {
  Import({From(1), From(2), From(3)});
  v1::ImportedComment edited = From(1);
  edited.set_body("edited there");
  edited.mutable_author()->set_display_name("Ana B.");
  edited.set_edit_count(1);
  EXPECT_THAT(
      Import({edited, From(2, 0, kDeleted), From(3, 2)}),
      ElementsAre("conflict author.display_name body", "conflict state", "conflict reply_to"));
  EXPECT_EQ(Threads(), "1 2 3");
}

TEST_F(ImportCommentsTest, OfThisServiceAreDeletedOnceTheyAreDeletedThere) {
  Imported comments = {From(1), From(2, 1), From(3)};
  const std::vector<std::string> names = Names(comments);
  for (size_t i = 0; i < comments.size(); ++i) {
    comments[i].clear_source_id();
    comments[i].clear_reply_to_source_id();
    comments[i].set_comment_id(ParseCommentName(names[i])->comment_id);
  }
  comments[1].set_reply_to(names[0]);
  EXPECT_THAT(Import(comments), Each("unchanged"));
  for (const size_t i : {1U, 2U}) {
    comments[i].set_state(kDeleted);
    comments[i].clear_author();
    comments[i].clear_body();
  }
  EXPECT_THAT(Import(comments), ElementsAre("unchanged", "deleted", "deleted"));
  EXPECT_EQ(Threads(), "1");
  EXPECT_EQ(Sql("SELECT count(*) FROM comment WHERE author_id <> '' OR body <> ''"), "1");
  const int64_t revision = Revision();
  EXPECT_THAT(Import(comments), Each("unchanged"));
  EXPECT_EQ(Revision(), revision);
  ExpectNoDrift();
  comments[2] = comments[0];
  comments[2].set_comment_id(ParseCommentName(names[2])->comment_id);
  EXPECT_THAT(Import({comments[2]}), ElementsAre("conflict state create_time"))
      << "what was deleted does not come back";
}

TEST_F(ImportCommentsTest, ADeletedOneKeepsThePlaceOfItsReplies) {
  Imported comments = {From(1), From(2, 1)};
  const std::vector<std::string> names = Names(comments);
  v1::ImportedComment deleted = comments[0];
  deleted.clear_source_id();
  deleted.set_comment_id(ParseCommentName(names[0])->comment_id);
  deleted.set_state(kDeleted);
  deleted.clear_author();
  deleted.clear_body();
  v1::ImportedComment reply = From(3);
  reply.set_reply_to(names[0]);
  EXPECT_THAT(Import({reply, deleted}), ElementsAre("created", "deleted"));
  EXPECT_EQ(Threads(), "- 2> 3>");
  ExpectNoDrift();
}

// ---- Threads that are not what they should be ----

TEST_F(ImportCommentsTest, WithoutTheirParentGoToTheTop) {
  EXPECT_THAT(Import({From(2, 1), From(3, 2)}), ElementsAre("created parent_missing", "created"));
  EXPECT_EQ(Threads(), "2 3>");
  EXPECT_THAT(Import({From(2, 1), From(3, 2)}),
              ElementsAre("unchanged parent_missing", "unchanged"));
  // It comes too late. What is there stays where it is.
  EXPECT_THAT(Import({From(1), From(2, 1)}), ElementsAre("created", "conflict reply_to"));
  EXPECT_EQ(Threads(), "1 2 3>");
}

TEST_F(ImportCommentsTest, ThatBreakTheRulesAreRefusedAlone) {
  v1::ImportedComment empty = From(1);
  empty.clear_body();
  v1::ImportedComment early = From(2);
  early.mutable_create_time()->set_seconds(-1);
  v1::ImportedComment late = From(3);
  late.mutable_create_time()->set_seconds(4'000'000'000);
  EXPECT_THAT(
      Import({empty, early, late, From(4, 1), From(5)}),
      ElementsAre("refused body is required", "refused create_time is before 1970",
                  "refused create_time is in the future", "created parent_missing", "created"));
  EXPECT_EQ(Threads(), "4 5");
}

TEST_F(ImportCommentsTest, ThatReplyToThemselvesAreRefused) {
  const std::string refused = "refused reply_to_source_id makes the comment a reply to itself";
  EXPECT_THAT(Import({From(1, 1), From(2, 4), From(3, 2), From(4, 3), From(5, 4), From(6, 5)}),
              ElementsAre(refused, refused, refused, refused, "created parent_missing", "created"));
  EXPECT_EQ(Threads(), "5 6>");
}

TEST_F(ImportCommentsTest, GoNoDeeperThanOthers) {
  const Imported chain = Chain(36);
  std::vector<std::string> expected(33, "created");
  expected.resize(36, "created beside_parent");
  EXPECT_THAT(Import(chain), ElementsAreArray(expected));
  const auto page =
      List({.article_id = "post", .order = v1::COMMENT_ORDER_THREADED, .page_size = 200});
  for (int i = 0; i < 36; ++i) {
    const v1::Comment& comment = page->page.items[static_cast<size_t>(i)];
    EXPECT_EQ(comment.body(), absl::StrCat(i + 1));
    EXPECT_EQ(comment.depth(), std::min(i, kMaxThreadDepth));
  }
  EXPECT_EQ(page->page.items[35].reply_to(), page->page.items[31].name());
  // Also where the thread is there already.
  std::vector<std::string> again(33, "unchanged");
  again.resize(36, "unchanged beside_parent");
  EXPECT_THAT(Import(chain), ElementsAreArray(again));
  EXPECT_THAT(Import({From(37, 36)}), ElementsAre("created beside_parent"));
  ExpectNoDrift();
}

// Sources tell times by the second, or by the day, and some clocks went back.
TEST_F(ImportCommentsTest, ThatAreNotLaterThanTheirParentsSortAfterThem) {
  Imported comments;
  for (int i = 1; i <= 20; ++i) {
    comments.push_back(From(i, i - 1));
    comments.back().mutable_create_time()->set_seconds(1'600'000'000);
  }
  comments.push_back(From(21, 20));  // months before
  std::vector<std::string> bodies;
  for (int i = 1; i <= 21; ++i) bodies.push_back(absl::StrCat(i));
  const std::vector<std::string> names = Names(comments);
  EXPECT_THAT(Oldest(), ElementsAreArray(bodies));
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(Moderated(names[20]).create_time().seconds(), 1'577'836'800 + 60 * 21);
  EXPECT_THAT(Import(comments), Each("unchanged"));
  // One by one, in any order.
  for (int i = 20; i >= 0; --i) {
    EXPECT_THAT(Import({comments[static_cast<size_t>(i)]}), Each("unchanged"));
  }
  EXPECT_EQ(Names(comments), names);
}

TEST_F(ImportCommentsTest, SortBeforeRepliesThatAreWrittenHere) {
  v1::ImportedComment recent = From(1);
  const absl::Time now = absl::FromUnixMicros(
      std::stoll(Sql("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")));
  *recent.mutable_create_time() = TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(now));
  const std::string name = Names({recent})[0];
  EXPECT_LT(name, Add("post", "reply", name));
  EXPECT_EQ(Threads(), "1 reply>");
}

// ---- Comments of this service ----

TEST_F(ImportCommentsTest, KeepTheirIdsIfTheyComeFromThisService) {
  const std::string top = Add("post", "top");
  const std::string reply = Add("post", "reply", top);
  ASSERT_TRUE(Publish(MakeArticle("copy")).ok());
  const auto exported = [](const v1::Comment& comment, const std::string& reply_to) {
    v1::ImportedComment item = From(0);
    item.clear_source_id();
    item.set_comment_id(ParseCommentName(comment.name())->comment_id);
    *item.mutable_author() = comment.author();
    item.set_body(comment.body());
    if (!reply_to.empty()) {
      item.set_reply_to(CommentName("copy", ParseCommentName(reply_to)->comment_id));
    }
    *item.mutable_create_time() = comment.create_time();
    return item;
  };
  const CommentImport copies = {
      .article_id = "copy",
      .comments = {exported(Moderated(reply), top), exported(Moderated(top), "")}};
  EXPECT_THAT(Texts(Answer(copies)), Each("created"));
  EXPECT_THAT(Texts(Answer(copies)), Each("unchanged"));
  const auto list =
      List({.article_id = "copy", .order = v1::COMMENT_ORDER_THREADED, .page_size = 200});
  ASSERT_THAT(list->page.items, SizeIs(2));
  EXPECT_EQ(ParseCommentName(list->page.items[1].name())->comment_id,
            ParseCommentName(reply)->comment_id);
  EXPECT_EQ(list->page.items[1].reply_to(), list->page.items[0].name());
  // The later one cannot be the parent.
  ASSERT_TRUE(Publish(MakeArticle("other")).ok());
  CommentImport turned = {
      .article_id = "other",
      .comments = {exported(Moderated(top), ""), exported(Moderated(reply), "")}};
  turned.comments[0].set_reply_to(CommentName("other", ParseCommentName(reply)->comment_id));
  EXPECT_THAT(
      Texts(Answer(turned)),
      ElementsAre("refused comment_id does not sort after that of the comment it replies to",
                  "created"));
}

// ---- Counts, watchers, rights ----

TEST_F(ImportCommentsTest, AreCountedExactly) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    Imported comments = AtRandom(200, seed);
    // The second half has parents in the first.
    Imported second(comments.begin() + 100, comments.end());
    comments.resize(100);
    for (Imported& half : std::vector<Imported>{comments, second}) {
      CommentImport import = ToPost(std::move(half));
      import.source = absl::StrCat("seed ", seed);
      Answer(import);
      ExpectNoDrift();
    }
    EXPECT_EQ(absl::StrCat(CommentCount()), Sql("SELECT count(*) FROM comment WHERE state = 1"));
  }
}

TEST_F(ImportCommentsTest, ShowAHiddenParentAsAPlaceholder) {
  const std::string top = Add("post", "top");
  const std::string hidden = Add("post", "hidden", top);
  ASSERT_TRUE(Moderate(hidden, kHidden).ok());
  EXPECT_FALSE(IsShown(hidden));
  v1::ImportedComment reply = From(1);
  reply.set_reply_to(hidden);
  EXPECT_THAT(Import({reply}), Each("created"));
  EXPECT_TRUE(IsShown(hidden));
  EXPECT_EQ(LastChanged(), "1 hidden top");
  ExpectNoDrift();
}

TEST_F(ImportCommentsTest, AreSentToWatchersInOrderEachAfterItsParent) {
  const std::string top = Add("post", "top");
  const int64_t before = Revision();
  Imported comments = AtRandom(300, 7);
  comments.push_back(From(301));
  comments.back().set_reply_to(top);
  Import(comments);
  std::map<int64_t, size_t> changes_at;
  std::set<std::string> seen = {top};
  const std::vector<v1::Comment> watched = Watched(before);
  for (const v1::Comment& comment : watched) {
    ++changes_at[comment.revision()];
    seen.insert(comment.name());
    if (comment.reply_to().empty()) continue;
    EXPECT_TRUE(seen.contains(comment.reply_to())) << comment.DebugString();
  }
  for (const auto& [revision, count] : changes_at) EXPECT_LE(count, 33) << revision;
  EXPECT_EQ(absl::StrCat(watched.size()), Sql("SELECT count(*) FROM comment WHERE ever_shown"));
}

TEST_F(ImportCommentsTest, AskNeitherForTheCommentPolicyNorForBlocks) {
  SetPolicy(v1::COMMENT_POLICY_CLOSED);
  EXPECT_THAT(Import({From(1)}), Each("created"));
  SetPolicy(v1::COMMENT_POLICY_PREMODERATED);
  EXPECT_THAT(Import({From(2)}), Each("created"));
  ASSERT_TRUE(Await<v1::BlockedAuthor>([&](auto done) {
                store_->BlockAuthor({}, "ana", "", std::move(done));
              }).ok());
  EXPECT_THAT(Import({From(3)}), Each("created"));
  EXPECT_EQ(Threads(), "1 2 3");
  ASSERT_TRUE(Retract("post").ok());
  EXPECT_THAT(Import({From(4)}), Each("created"));
}

TEST_F(ImportCommentsTest, WantAnArticle) {
  CommentImport nowhere = ToPost({From(1)});
  nowhere.article_id = "none";
  EXPECT_EQ(ReasonOf(ImportTo(*store_, nowhere).status()), "ARTICLE_NOT_FOUND");
}

TEST_F(ImportCommentsTest, AreOnlyValidatedOnRequest) {
  Import({From(1)});
  const int64_t revision = Revision();
  CommentImport import = ToPost({From(1), From(2, 1), From(3, 9), From(4, 4)});
  const std::vector<std::string> expected = {
      "unchanged", "created", "created parent_missing",
      "refused reply_to_source_id makes the comment a reply to itself"};
  import.validate_only = true;
  const v1::ImportCommentsResponse preview = Answer(import);
  EXPECT_EQ(Texts(preview), expected);
  EXPECT_EQ(preview.article_revision(), 0);
  EXPECT_EQ(preview.comment_count(), 0);
  EXPECT_EQ(Revision(), revision);
  EXPECT_THAT(Oldest(), ElementsAre("1"));
  import.validate_only = false;
  const v1::ImportCommentsResponse answer = Answer(import);
  EXPECT_EQ(Texts(answer), expected);
  for (int i = 0; i < answer.results_size(); ++i) {
    EXPECT_EQ(answer.results(i).name(), preview.results(i).name());
  }
}

// ---- Commits that go wrong ----

TEST_F(ImportCommentsTest, AreAddedOnceIfTheConnectionBreaksAtTheCommit) {
  int source_id = 0;
  for (const auto cut : {Proxy::Cut::kBeforeCommit, Proxy::Cut::kAfterCommit}) {
    Proxy proxy(url_);
    const std::unique_ptr<Store> store = *Open(proxy.url());
    proxy.CutNextCommit(cut);
    const Imported comments = {From(source_id + 1), From(source_id + 2, source_id + 1)};
    source_id += 2;
    const int64_t before = Revision();
    const auto answer = ImportTo(*store, ToPost(comments));
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_THAT(Texts(*answer), Each("created"));
    EXPECT_EQ(answer->article_revision(), before + 2);
    EXPECT_EQ(Revision(), before + 2);
    EXPECT_EQ(Sql("SELECT count(*) FROM audit_event WHERE action = 13"),
              absl::StrCat(source_id / 2));
  }
  EXPECT_THAT(Oldest(), SizeIs(4));
  ExpectNoDrift();
}

TEST_F(ImportCommentsTest, AreNotAcknowledgedBeforeAStandbyHasThem) {
  if (testing::OnCitus()) GTEST_SKIP() << "the workers have standbys of their own";
  const auto import = [this] { return ImportTo(*store_, ToPost({From(1)})); };
  const auto first =
      testing::AnswerOnceAStandbyHasIt(url_, &testing::MissingStandby::Terminate, import);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_THAT(Texts(*first), Each("created"));
  const auto again = testing::AnswerOnceAStandbyHasIt(url_, nullptr, import);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_THAT(Texts(*again), Each("unchanged"));
}

// ---- Imports that share a transaction ----

class ImportBatchesTest : public ImportCommentsTest {
 protected:
  using Imports = std::vector<Called<ImportWrite>>;
  using Answered = Pending<v1::ImportCommentsResponse>;

  ImportBatchesTest() { connection_.PrepareSession(); }

  void SetUp() override {
    if (testing::OnCitus()) GTEST_SKIP() << "only those to articles of one bucket do";
    for (const char* const id : {"a", "b", "c", "post"}) {
      ASSERT_TRUE(Publish(MakeArticle(id)).ok());
    }
  }

  static CommentImport To(const std::string& article_id, Imported comments) {
    CommentImport import = ToPost(std::move(comments));
    import.article_id = article_id;
    return import;
  }

  static Imports Batch(std::vector<CommentImport> imports) {
    Imports batch;
    for (CommentImport& import : imports) {
      const std::string identity = absl::StrCat("cn:", import.article_id);
      batch.push_back({ImportWrite{std::move(import)},
                       std::make_shared<const Caller>(Caller{.identity = identity})});
    }
    return batch;
  }

  std::vector<ImportAnswer> RunOn(postgres::Connection& connection, Imports& imports,
                                  postgres::WriteMode mode = {.skip_locked = true,
                                                              .in_doubt = false}) {
    std::vector<Called<ImportWrite>*> pointers;
    for (Called<ImportWrite>& import : imports) pointers.push_back(&import);
    return store::ImportComments(connection, names_, pointers, mode,
                                 [this](const std::vector<ChangeNotice>& notices) {
                                   for (const ChangeNotice& notice : notices) {
                                     announced_[notice.name] = notice.state.revision;
                                   }
                                 });
  }

  // What became of the comments of each import, or why it failed.
  static std::vector<std::string> TextsOf(const std::vector<ImportAnswer>& answers) {
    std::vector<std::string> texts;
    for (const ImportAnswer& answer : answers) {
      if (!answer) {
        texts.emplace_back("left out");
      } else if (!answer->ok()) {
        texts.push_back(ReasonOf(answer->status()));
      } else {
        texts.push_back(absl::StrJoin(Texts(**answer), ", "));
      }
    }
    return texts;
  }

  // Runs the imports in one transaction.
  std::vector<std::string> ImportTogether(std::vector<CommentImport> imports) {
    Imports batch = Batch(std::move(imports));
    return TextsOf(RunOn(connection_, batch));
  }

  // The articles with comments: `a r3 2`, with revision and count.
  std::string Articles() {
    return Sql(
        "SELECT string_agg(name || ' r' || revision || ' ' || comment_count, ', ' ORDER BY name) "
        "FROM article_state WHERE revision > 1");
  }

  // The acts: `a r3 2 cn:a`, with revision and number of comments.
  std::string Acts() {
    return Sql(
        "SELECT string_agg(name || ' r' || revision || ' ' || item_count || ' ' || caller, ', ' "
        "ORDER BY name, revision) FROM audit_event WHERE action = 13");
  }

  std::string Transactions() { return Sql("SELECT count(DISTINCT xmin::text) FROM comment"); }

  void ExpectExactCounts() {
    const auto verified = Verify({});
    ASSERT_TRUE(verified.ok()) << verified.status();
    EXPECT_THAT(verified->drifts, IsEmpty());
  }

  // All connections for imports wait until Release. What is imported meanwhile is one batch, if it
  // may be.
  void Occupy() {
    session_.Run("BEGIN; SELECT FROM article_feed FOR UPDATE");
    for (size_t i = 0; i < occupying_.size(); ++i) {
      store_->PublishArticle({}, MakeArticle(absl::StrCat("occupying-", i)), {},
                             occupying_[i].callback());
      testing::AwaitWaitersForLocks(url_, static_cast<int>(i) + 1);
    }
  }

  void Release() {
    session_.Run("ROLLBACK");
    for (auto& published : occupying_) EXPECT_TRUE(published.Get().ok());
  }

  void Start(CommentImport import, Answered& answer) {
    store_->ImportComments({}, std::move(import), answer.callback());
  }

  static std::string TextOf(Answered& answer) { return TextsOf({answer.Get()}).front(); }

  ArticleNames names_;
  postgres::Connection connection_{*postgres::CompleteDsn(url_)};
  std::map<std::string, int64_t> announced_;  // the revisions of the articles
  testing::Session session_{url_};
  std::vector<Pending<PublishedArticle>> occupying_{2};
};

TEST_F(ImportBatchesTest, ToSeveralArticlesAreOneTransactionAndAnActEach) {
  EXPECT_THAT(ImportTogether({To("a", {From(1), From(2, 1)}), To("b", {From(1, 0, kHidden)}),
                              To("c", {From(3, 2), From(4, 4), From(5, 3)})}),
              ElementsAre("created, created", "created",
                          "created parent_missing, refused reply_to_source_id makes the comment a "
                          "reply to itself, created"));
  EXPECT_EQ(Transactions(), "1");
  EXPECT_EQ(Articles(), "a r3 2, b r2 0, c r3 2");
  EXPECT_EQ(Acts(), "a r3 2 cn:a, b r2 1 cn:b, c r3 2 cn:c");
  EXPECT_THAT(announced_, ElementsAre(Pair("a", 3), Pair("b", 2), Pair("c", 3)));
  ExpectExactCounts();
}

TEST_F(ImportBatchesTest, FindTheParentsThatEachArticleHas) {
  ImportTogether({To("a", {From(1)}), To("b", {From(1), From(2)})});
  EXPECT_THAT(
      ImportTogether({To("a", {From(3, 1), From(4, 2)}), To("b", {From(3, 1), From(4, 2)}),
                      To("c", {From(3, 1)})}),
      ElementsAre("created, created parent_missing", "created, created", "created parent_missing"));
  EXPECT_EQ(Sql("SELECT string_agg(s.name || c.body || ' ' || c.depth, ', ' ORDER BY s.name, "
                "c.body) FROM comment c JOIN article_state s USING (bucket, article_key)"),
            "a1 0, a3 1, a4 0, b1 0, b2 0, b3 1, b4 1, c3 0");
  ExpectExactCounts();
}

TEST_F(ImportBatchesTest, ThatChangeNothingAreUnchangedTogetherToo) {
  const std::vector<CommentImport> imports = {To("a", {From(1), From(2, 1)}), To("b", {From(1)})};
  ImportTogether(imports);
  const std::string acts = Acts();
  EXPECT_THAT(ImportTogether(imports), ElementsAre("unchanged, unchanged", "unchanged"));
  EXPECT_EQ(Articles(), "a r3 2, b r2 1");
  EXPECT_EQ(Acts(), acts);
}

TEST_F(ImportBatchesTest, WithoutTheirArticleFailAlone) {
  EXPECT_THAT(ImportTogether({To("a", {From(1)}), To("none", {From(1)}), To("b", {From(1)})}),
              ElementsAre("created", "ARTICLE_NOT_FOUND", "created"));
  EXPECT_EQ(Articles(), "a r2 1, b r2 1");
  EXPECT_THAT(ImportTogether({To("none", {From(1)})}), ElementsAre("ARTICLE_NOT_FOUND"));
}

TEST_F(ImportBatchesTest, ToOneArticleFollowOneAnother) {
  ASSERT_TRUE(Rename({.id = "a", .new_id = "moved"}).ok());
  const std::string first = CommentName(
      "a", SourceComment("disqus:forum", "1").IdAt(absl::FromUnixSeconds(1'577'836'860)));
  v1::ImportedComment by_name = From(5);
  by_name.set_reply_to(first);
  EXPECT_THAT(
      ImportTogether({To("a", {From(1)}), To("b", {From(1)}), To("moved", {From(1), From(2, 1)}),
                      To("a", {From(3, 2), From(4, 9), by_name})}),
      ElementsAre("created", "created", "unchanged, created",
                  "created, created parent_missing, created"));
  EXPECT_EQ(Articles(), "b r2 1, moved r7 5");
  EXPECT_EQ(Acts(), "b r2 1 cn:b, moved r3 1 cn:a, moved r4 1 cn:moved, moved r7 3 cn:a");
  EXPECT_EQ(Sql("SELECT string_agg(body || ' ' || depth || ' ' || reply_count, ', ' ORDER BY body) "
                "FROM comment WHERE " +
                OfArticle("a")),
            "1 0 2, 2 1 1, 3 2 0, 4 0 0, 5 1 0");
  EXPECT_THAT(announced_, ElementsAre(Pair("b", 2), Pair("moved", 7)));
  ExpectExactCounts();
}

TEST_F(ImportBatchesTest, ToALockedArticleAreLeftOut) {
  session_.Run("BEGIN; " + testing::LockArticles(url_, "name = 'a'"));
  Imports batch = Batch({To("a", {From(1)}), To("b", {From(1)})});
  EXPECT_THAT(TextsOf(RunOn(connection_, batch)), ElementsAre("left out", "created"));
  Answered waits, goes_on;
  Start(To("a", {From(1)}), waits);
  Start(To("c", {From(1)}), goes_on);
  EXPECT_EQ(TextOf(goes_on), "created");
  EXPECT_FALSE(waits.is_answered());
  session_.Run("ROLLBACK");
  EXPECT_EQ(TextOf(waits), "created");
  EXPECT_EQ(Articles(), "a r2 1, b r2 1, c r2 1");
}

TEST_F(ImportBatchesTest, AreAddedOnceIfTheConnectionBreaksAtTheCommit) {
  for (const auto cut : {Proxy::Cut::kBeforeCommit, Proxy::Cut::kAfterCommit}) {
    Proxy proxy(url_);
    const std::string article = cut == Proxy::Cut::kBeforeCommit ? "a" : "b";
    Imports batch = Batch({To(article, {From(1), From(2, 1)}), To("c", {From(1)}),
                           To(article, {From(2, 1), From(3, 2)})});
    {
      postgres::Connection broken(*postgres::CompleteDsn(proxy.url()));
      broken.PrepareSession();
      proxy.CutNextCommit(cut);
      EXPECT_ANY_THROW(RunOn(broken, batch));
    }
    EXPECT_THAT(announced_, Not(Contains(Key(article))));
    const std::string of_c = article == "a" ? "created" : "unchanged";
    EXPECT_THAT(TextsOf(RunOn(connection_, batch, {.skip_locked = false, .in_doubt = true})),
                ElementsAre("created, created", of_c, "unchanged, created"));
    EXPECT_EQ(announced_[article], 4);
  }
  EXPECT_EQ(Articles(), "a r4 3, b r4 3, c r2 1");
  EXPECT_EQ(Acts(), "a r3 2 cn:a, a r4 1 cn:a, b r3 2 cn:b, b r4 1 cn:b, c r2 1 cn:c");
  ExpectExactCounts();
}

TEST_F(ImportBatchesTest, ThatWaitShareATransaction) {
  Occupy();
  std::vector<Answered> answers(3);
  Start(To("a", {From(1), From(2, 1)}), answers[0]);
  Start(To("b", {From(1)}), answers[1]);
  Start(To("c", {From(1)}), answers[2]);
  Release();
  for (Answered& answer : answers) EXPECT_THAT(TextOf(answer), StartsWith("created"));
  EXPECT_EQ(Transactions(), "1");
  ExpectExactCounts();
}

TEST_F(ImportBatchesTest, ThatTheDatabaseRefusesFailAlone) {
  Sql("ALTER TABLE comment ADD CHECK (body <> 'bad')");
  v1::ImportedComment bad = From(2);
  bad.set_body("bad");
  Occupy();
  std::vector<Answered> answers(3);
  Start(To("a", {From(1)}), answers[0]);
  Start(To("b", {From(1), bad}), answers[1]);
  Start(To("c", {From(1)}), answers[2]);
  Release();
  EXPECT_EQ(TextOf(answers[0]), "created");
  EXPECT_FALSE(answers[1].Get().ok());
  EXPECT_EQ(TextOf(answers[2]), "created");
  EXPECT_EQ(Articles(), "a r2 1, c r2 1");
  ExpectExactCounts();
}

TEST_F(ImportBatchesTest, ThatAreOnlyValidatedHoldUpNobody) {
  CommentImport preview = To("b", {From(1)});
  preview.validate_only = true;
  Occupy();
  std::vector<Answered> answers(5);
  Start(To("a", {From(1)}), answers[0]);
  Start(preview, answers[1]);
  Start(To("b", {From(2)}), answers[2]);
  Start(preview, answers[3]);
  Start(To("c", {From(1)}), answers[4]);
  Release();
  for (Answered& answer : answers) EXPECT_EQ(TextOf(answer), "created");
  EXPECT_EQ(Articles(), "a r2 1, b r2 1, c r2 1");
}

// A transaction with many comments holds the locks of its articles for long.
TEST_F(ImportBatchesTest, HaveNoMoreCommentsThanOneMay) {
  const auto size_of = [](int comments, const std::string& body) {
    ImportWrite write;
    for (int i = 0; i < comments; ++i) write.import.comments.emplace_back().set_body(body);
    return SizeOf(write);
  };
  EXPECT_LE(size_of(kMaxImportedComments, "short"), kMaxImportBytes);
  EXPECT_GT(size_of(kMaxImportedComments + 5, "short"), kMaxImportBytes);
  EXPECT_GE(size_of(1, std::string(100'000, 'x')), 100'000);
  Imported half;
  for (int i = 1; i <= kMaxImportedComments / 2; ++i) half.push_back(From(i));
  Occupy();
  std::vector<Answered> answers(3);
  Start(To("a", half), answers[0]);
  Start(To("b", half), answers[1]);
  Start(To("c", half), answers[2]);
  Release();
  for (Answered& answer : answers) EXPECT_THAT(TextOf(answer), StartsWith("created"));
  EXPECT_EQ(Transactions(), "2");
}

TEST_F(ImportBatchesTest, DoNotTakeTheConnectionsOfComments) {
  const std::unique_ptr<ObservedStore> store =
      *NewPostgresStore({.url = url_, .write_connections = 1});
  session_.Run("BEGIN; " + testing::LockArticles(url_, "name = 'a'"));
  Answered waits;
  store->ImportComments({}, To("a", {From(1)}), waits.callback());
  testing::AwaitWaitersForLocks(url_, 1);
  const auto created = Await<v1::Comment>(
      [&](auto done) { store->CreateComment({}, MakeComment("b", "goes on"), std::move(done)); });
  EXPECT_TRUE(created.ok()) << created.status();
  EXPECT_FALSE(waits.is_answered());
  session_.Run("ROLLBACK");
  EXPECT_EQ(TextOf(waits), "created");
  EXPECT_GE(store->numbers().import_batches.Read().count(), 1);
}

}  // namespace
}  // namespace content::store
