#include "content/text.h"

#include <gtest/gtest.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace content {
namespace {

using std::string_literals::operator""s;

TEST(Utf8, AcceptsEveryLengthOfCharacter) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("plain"));
  EXPECT_TRUE(IsUtf8("é – 漢 – 🦊"));
  EXPECT_TRUE(IsUtf8("\0"s));
  EXPECT_TRUE(IsUtf8("\U0010FFFF"));
}

TEST(Utf8, RefusesMalformedBytes) {
  EXPECT_FALSE(IsUtf8("\xFF"));
  EXPECT_FALSE(IsUtf8("\x80"));
  EXPECT_FALSE(IsUtf8("caf\xE9"));
  EXPECT_FALSE(IsUtf8("\xE2\x80"));
  EXPECT_FALSE(IsUtf8("\xC0\xAF"));
  EXPECT_FALSE(IsUtf8("\xE0\x80\xAF"));
  EXPECT_FALSE(IsUtf8("\xF0\x80\x80\xAF"));
  EXPECT_FALSE(IsUtf8("\xED\xA0\x80"));
  EXPECT_FALSE(IsUtf8("\xF4\x90\x80\x80"));
  EXPECT_FALSE(IsUtf8("\xF8\x88\x80\x80\x80"));
}

TEST(Characters, AreCodePoints) {
  EXPECT_EQ(CountCharacters(""), 0u);
  EXPECT_EQ(CountCharacters("“né”"), 4u);
  EXPECT_EQ(CountCharacters("🦊🦊"), 2u);
  EXPECT_EQ(CountCharacters("e\u0301"), 2u);
}

TEST(VisibleCharacter, IsALetterADigitASignOrAnEmoji) {
  EXPECT_TRUE(HasVisibleCharacter(" x "));
  EXPECT_TRUE(HasVisibleCharacter("\u0301é"));
  EXPECT_TRUE(HasVisibleCharacter("."));
  EXPECT_TRUE(HasVisibleCharacter("🦊"));
  EXPECT_TRUE(HasVisibleCharacter("שלום"));
}

TEST(VisibleCharacter, IsNotASpaceControlFormatMarkOrFiller) {
  EXPECT_FALSE(HasVisibleCharacter(""));
  EXPECT_FALSE(HasVisibleCharacter(" \t\r\n"));
  EXPECT_FALSE(HasVisibleCharacter("\u00A0\u2003\u3000\u2028\u2029"));
  EXPECT_FALSE(HasVisibleCharacter("\0\x01\x7F\u0085"s));
  EXPECT_FALSE(HasVisibleCharacter("\u00AD\u200B\u200D\u202E\uFEFF"));
  EXPECT_FALSE(HasVisibleCharacter("\u0301\uFE0F"));
  EXPECT_FALSE(HasVisibleCharacter("\u115F\u3164\uFFA0"));
  EXPECT_FALSE(HasVisibleCharacter("\u2800\uFFF9\uFFFA\uFFFB\U0001D159\U00016FE4\U00013441"));
}

TEST(VisibleCharacter, MayBeNewerThanTheUnicodeTables) {
  EXPECT_TRUE(HasVisibleCharacter("\U0001FAE9"));  // Unicode 16
  EXPECT_TRUE(HasVisibleCharacter("\u0378"));
}

TEST(VisibleCharacter, IsNotANoncharacter) {
  EXPECT_FALSE(HasVisibleCharacter("\uFDD0\uFDEF\uFFFE\uFFFF"));
  EXPECT_FALSE(HasVisibleCharacter("\U0001FFFE\U0001FFFF\U0010FFFE\U0010FFFF"));
  EXPECT_FALSE(HasVisibleCharacter("\xFF"));
}

TEST(ForbiddenCharacter, IsAControlOtherThanTabAndLineEnds) {
  EXPECT_FALSE(HasForbiddenCharacter("one\ttwo\r\nthree\u2028four", false));
  EXPECT_TRUE(HasForbiddenCharacter("\0"s, false));
  EXPECT_TRUE(HasForbiddenCharacter("bell\a", false));
  EXPECT_TRUE(HasForbiddenCharacter("\x1B[31m", false));
  EXPECT_TRUE(HasForbiddenCharacter("\x7F", false));
  EXPECT_TRUE(HasForbiddenCharacter("\u0085", false));
  EXPECT_TRUE(HasForbiddenCharacter("\u009F", false));
}

TEST(ForbiddenCharacter, IsAnyControlOrSeparatorOnOneLine) {
  EXPECT_FALSE(HasForbiddenCharacter("“One line” – 🦊\u00A0\u200D", true));
  for (const char* text : {"a\tb", "a\nb", "a\rb", "a\u2028b", "a\u2029b", "a\u0085b"}) {
    EXPECT_TRUE(HasForbiddenCharacter(text, true)) << text;
  }
}

TEST(OneLine, ReplacesControlsAndLineBreaksWithSpaces) {
  EXPECT_EQ(OneLine("one\r\n\ttwo\u2028\u2029three\x01\u0085 four"), "one two three four");
  EXPECT_EQ(OneLine("\a one "), "one");
  EXPECT_EQ(OneLine(" \n\x7F"), "");
}

TEST(OneLine, KeepsOtherCharacters) {
  EXPECT_EQ(OneLine("“5\u00A0km” – é 🦊"), "“5\u00A0km” – é 🦊");
}

TEST(Words, AreRunsWithALetterOrADigit) {
  EXPECT_EQ(CountWords(""), 0);
  EXPECT_EQ(CountWords("one two\n three\u00A0four"), 4);
  EXPECT_EQ(CountWords("don’t hand-in-glove 2018–19"), 3);
  EXPECT_EQ(CountWords("this . . . and — that 🦊"), 3);
  EXPECT_EQ(CountWords("“Żółć” ½ ٣"), 3);
}

TEST(Words, OfScriptsWithoutSpacesAreThoseOfADictionary) {
  EXPECT_EQ(CountWords("東京の天気は晴れです。"), 6);
  EXPECT_EQ(CountWords("今天天气很好,我们去公园玩。"), 7);
  EXPECT_EQ(CountWords("สวัสดีชาวโลก"), 3);
  EXPECT_EQ(CountWords("ພາສາລາວ"), 2);
  EXPECT_EQ(CountWords("ខ្ញុំស្រឡាញ់ភាសាខ្មែរ"), 3);
  EXPECT_EQ(CountWords("コーヒー"), 1);
  EXPECT_EQ(CountWords("iPhone15を買う"), 3);
  EXPECT_EQ(CountWords("서울의 날씨"), 2);  // Korean has spaces
  EXPECT_EQ(CountWords("。、「」"), 0);
}

TEST(Nfc, IsTheSameForCanonicalEquivalents) {
  EXPECT_EQ(ToNfc("cafe\u0301"), "caf\u00E9");
  EXPECT_EQ(ToNfc("\u1112\u1161\u11AB"), "한");
  EXPECT_EQ(ToNfc("\u212B\u2126"), "\u00C5\u03A9");
  EXPECT_EQ(ToNfc("\u0958"), "\u0915\u093C");  // longer than before
  EXPECT_EQ(ToNfc("ﬁ Ｆ"), "ﬁ Ｆ");            // compatible, not equivalent
  EXPECT_TRUE(IsNfc(""));
  EXPECT_TRUE(IsNfc("plain, “né”, 漢字 🦊"));
  EXPECT_FALSE(IsNfc("cafe\u0301"));
  EXPECT_FALSE(IsNfc("\u212B"));
}

TEST(TrimWhiteSpace, RemovesEveryKindAtBothEnds) {
  EXPECT_EQ(TrimWhiteSpace(" \t\r\n\u0085\u00A0\u1680\u2003x y\u2028\u2029\u202F\u205F\u3000"),
            "x y");
  EXPECT_EQ(TrimWhiteSpace(" \u3000"), "");
  EXPECT_EQ(TrimWhiteSpace(""), "");
  EXPECT_EQ(TrimWhiteSpace("\u200Bx"), "\u200Bx");
}

TEST(FindWhiteSpace, FindsEveryKind) {
  EXPECT_EQ(FindWhiteSpace("ab c"), 2u);
  EXPECT_EQ(FindWhiteSpace("é\u3000"), 2u);
  EXPECT_EQ(FindWhiteSpace("abc"), 3u);
}

TEST(BidiControl, IsAnyOfTheTwelve) {
  for (const char* control : {"\u061C", "\u200E", "\u200F", "\u202A", "\u202B", "\u202C", "\u202D",
                              "\u202E", "\u2066", "\u2067", "\u2068", "\u2069"}) {
    EXPECT_TRUE(HasBidiControl(absl::StrCat("a", control, "b")));
  }
  EXPECT_FALSE(HasBidiControl("עברית العربية \u200C\u200D"));
}

TEST(InvisibleEdge, IsAnIgnorableCharacterAtAnEnd) {
  for (const char* invisible :
       {"\u00AD", "\u034F", "\u115F", "\u180E", "\u200B", "\u200C", "\u200D", "\u2060", "\u2063",
        "\u3164", "\uFEFF", "\uFFA0", "\u2800", "\uFFF9", "\uFFFA", "\uFFFB", "\U0001D159"}) {
    EXPECT_TRUE(HasInvisibleEdge(absl::StrCat(invisible, "Ana")));
    EXPECT_TRUE(HasInvisibleEdge(absl::StrCat("Ana", invisible)));
    EXPECT_FALSE(HasInvisibleEdge(absl::StrCat("A", invisible, "na")));
  }
}

TEST(InvisibleEdge, IsNotPartOfAnEmojiOrAWord) {
  EXPECT_FALSE(HasInvisibleEdge("❤️"));
  EXPECT_FALSE(HasInvisibleEdge("👩‍👩‍👧‍👦"));
  EXPECT_FALSE(HasInvisibleEdge("🏴󠁧󠁢󠁥󠁮󠁧󠁿"));
  EXPECT_FALSE(HasInvisibleEdge("می‌خواهم"));
  EXPECT_FALSE(HasInvisibleEdge("\u0D05\u0D35\u0D28\u0D4D\u200D"));  // Malayalam, older spelling
  EXPECT_FALSE(HasInvisibleEdge("葛\U000E0100"));
  EXPECT_TRUE(HasInvisibleEdge("\u200D"));
  EXPECT_TRUE(HasInvisibleEdge("u1\uFE0F"));
  EXPECT_TRUE(HasInvisibleEdge("u\U000E0061\U000E007F"));
  EXPECT_TRUE(HasInvisibleEdge("\uFE0F"));
}

TEST(BeginsWithMark, LooksAtTheFirstCharacter) {
  EXPECT_TRUE(BeginsWithMark("\u0301Ana"));
  EXPECT_TRUE(BeginsWithMark("\u0E48"));
  EXPECT_FALSE(BeginsWithMark("A\u0301na"));
  EXPECT_FALSE(BeginsWithMark(""));
}

TEST(CharacterStart, IsNotWithinACharacter) {
  const std::string text = "aé\u0301ที่";
  EXPECT_TRUE(IsCharacterStart(text, 0));
  EXPECT_TRUE(IsCharacterStart(text, 1));
  EXPECT_FALSE(IsCharacterStart(text, 2));
  EXPECT_FALSE(IsCharacterStart(text, 3));
  EXPECT_TRUE(IsCharacterStart(text, 5));
  EXPECT_FALSE(IsCharacterStart(text, 8));
  EXPECT_TRUE(IsCharacterStart(text, text.size()));
}

TEST(FirstCharacters, AreCutBetweenCodePoints) {
  EXPECT_EQ(FirstCharacters("é漢🦊", 2), "é漢");
  EXPECT_EQ(FirstCharacters("é漢🦊", 9), "é漢🦊");
  EXPECT_EQ(FirstCharacters("é", 0), "");
}

TEST(OneLine, IsNormalized) {
  EXPECT_EQ(OneLine("\uFEFFcafe\u0301 \u202Ex\u202C\u00A0\u200B ❤️"),
            "café x\u00A0\u200B ❤️");
  EXPECT_EQ(OneLine("\u00A0\u200B x \u200F\u00A0"), "x");
}

TEST(Slug, DropsAccentsAndCase) {
  EXPECT_EQ(Slug("Crème Brûlée à l’École"), "creme-brulee-a-lecole");
  EXPECT_EQ(Slug("Große Straße"), "grosse-strasse");
  EXPECT_EQ(Slug("İstanbul"), "istanbul");
  EXPECT_EQ(Slug("ﬁn Ｆｕｌｌ soft\u00ADhyphen"), "fin-full-softhyphen");
}

TEST(Slug, JoinsWordsWithOneHyphen) {
  EXPECT_EQ(Slug("  What -- now?! . . . (2nd try) "), "what-now-2nd-try");
  EXPECT_EQ(Slug("U.S.–North Korea"), "u-s-north-korea");
}

TEST(Slug, DropsApostrophes) { EXPECT_EQ(Slug("Kim’s and Jo's"), "kims-and-jos"); }

TEST(Slug, IsEmptyWithoutUsableCharacters) {
  EXPECT_EQ(Slug(""), "");
  EXPECT_EQ(Slug("漢字 🦊 —"), "");
  EXPECT_EQ(Slug("\xFF"), "");
}

TEST(Slug, IsCutAtTheEndOfAWord) {
  EXPECT_EQ(Slug("one two three", 13), "one-two-three");
  EXPECT_EQ(Slug("one two three", 12), "one-two");
  EXPECT_EQ(Slug("one two three", 8), "one-two");
  EXPECT_EQ(Slug("one two three", 7), "one-two");
  EXPECT_EQ(Slug("unbreakable", 5), "unbre");
  EXPECT_LE(Slug(std::string(300, 'x')).size(), 63u);
}

// Marks of two classes that ICU has to put in order.
std::string Marks(int count) {
  std::string marks;
  for (int i = 0; i < count; ++i) marks += i < count / 2 ? "\u0315" : "\u0316";
  return marks;
}

TEST(TextMarks, AreTooManyAfterThirtyInARow) {
  EXPECT_FALSE(HasLongMarkRun(""));
  EXPECT_FALSE(HasLongMarkRun(absl::StrCat("a", Marks(30), "b", Marks(30))));
  EXPECT_TRUE(HasLongMarkRun(absl::StrCat("a", Marks(31))));
  EXPECT_TRUE(HasLongMarkRun(Marks(31)));
  // What folding drops does not interrupt them.
  for (const char* ignored : {"\u00AD", "\u034F", "\u200D", "\uFEFF", "\U000E0061"}) {
    EXPECT_TRUE(HasLongMarkRun(absl::StrCat("a", Marks(30), ignored, Marks(1)))) << ignored;
    std::string many;
    for (int i = 0; i < 100; ++i) many += ignored;
    EXPECT_FALSE(HasLongMarkRun(absl::StrCat("a", many)));
  }
}

TEST(TextMarks, AreNotLettersThatPeopleRepeat) {
  for (const char* letter : {"\u3160", "\u09BE", "\u0D3E", "\u30FC", "\u1172", "e\u0301"}) {
    std::string word = "a";
    for (int i = 0; i < 100; ++i) word += letter;
    EXPECT_FALSE(HasLongMarkRun(word)) << letter;
  }
}

// So each form, and the folding of search, has bounded runs too.
TEST(TextMarks, AreAllCharactersThatDoNotBeginWithAStarterInAnyForm) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* const forms[] = {icu::Normalizer2::getNFDInstance(error),
                                           icu::Normalizer2::getNFKDInstance(error),
                                           icu::Normalizer2::getNFKCCasefoldInstance(error)};
  ASSERT_TRUE(U_SUCCESS(error));
  const std::string half = Marks(16);
  for (UChar32 character = 0x80; character <= 0x10FFFF; ++character) {
    if (U_IS_SURROGATE(character)) continue;
    std::string text = half;
    icu::UnicodeString(character).toUTF8String(text);
    if (HasLongMarkRun(text + half)) continue;
    for (const icu::Normalizer2* form : forms) {
      const icu::UnicodeString mapped = form->normalize(icu::UnicodeString(character), error);
      ASSERT_FALSE(mapped.isEmpty()) << std::hex << character;
      EXPECT_EQ(u_getCombiningClass(mapped.char32At(0)), 0) << std::hex << character;
    }
  }
}

// Each would take minutes in quadratic time.
TEST(TextMarks, OfAnyNumberTakeLinearTime) {
  const std::string kept = Marks(60).substr(0, 60);  // thirty of the first class
  const std::string text = absl::StrCat("a", Marks(2'000'000), "b");
  EXPECT_EQ(OneLine(ToNfc(text)), absl::StrCat("a", kept, " b"));
  EXPECT_EQ(OneLine(text), absl::StrCat("a", kept, " b"));
  EXPECT_EQ(Slug(text), "a-b");
  std::string sparse = "a";
  for (int i = 0; i < 500'000; ++i) sparse += "\u034F\u0315\u034F\u0316";
  EXPECT_EQ(Slug(sparse), "a");
  std::string blanked = absl::StrCat("a", Marks(31), "b");
  BlankLongMarkRuns(blanked);
  EXPECT_EQ(blanked, absl::StrCat("a", Marks(31).substr(0, 60), "  b"));
}

}  // namespace
}  // namespace content
