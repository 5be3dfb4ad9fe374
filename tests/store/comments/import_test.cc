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
#include "store/comments/comment_fixture.h"
#include "store/store_fixture.h"
#include "support/missing_standby.h"
#include "support/proxy.h"

namespace content::store {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using testing::Proxy;
using ::testing::SizeIs;

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

}  // namespace
}  // namespace content::store
