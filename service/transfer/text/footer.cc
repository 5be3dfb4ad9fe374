#include "transfer/text/footer.h"

#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "content/text.h"
#include "content/utf8.h"
#include "transfer/written_date.h"

namespace content::transfer {
namespace {

// No line of a footer is longer.
constexpr size_t kMaxFooterBytes = 300;

// Returns `text` in lower case, except for letters that would have another length in UTF-8 then.
std::string LowerCase(absl::string_view text) {
  std::string lower;
  while (!text.empty()) {
    absl::string_view rest = text;
    std::string character;
    icu::UnicodeString(u_tolower(TakeCharacter(rest))).toUTF8String(character);
    const absl::string_view before = text.substr(0, text.size() - rest.size());
    absl::StrAppend(&lower, character.size() == before.size() ? character : before);
    text = rest;
  }
  return lower;
}

std::string SingleSpaced(absl::string_view line) {
  std::string text = OneLine(absl::StrReplaceAll(line, {{"\u00A0", " "}, {"\u202F", " "}}));
  absl::RemoveExtraAsciiWhitespace(&text);
  return text;
}

// In lower case, with single spaces, typewriter's signs and without a colon at the end.
std::string FooterForm(absl::string_view line) {
  const std::string form = absl::StrReplaceAll(
      LowerCase(SingleSpaced(line)), {{"’", "'"}, {" …", "..."}, {"……", "..."}, {"…", "..."}});
  absl::string_view kept = form;
  if (!absl::ConsumeSuffix(&kept, ":")) absl::ConsumeSuffix(&kept, "：");
  return std::string(absl::StripTrailingAsciiWhitespace(kept));
}

bool BeginsWithAny(absl::string_view text, const auto& beginnings) {
  return std::any_of(std::begin(beginnings), std::end(beginnings),
                     [text](absl::string_view begin) { return absl::StartsWith(text, begin); });
}

bool EndsWithAny(absl::string_view text, const auto& endings) {
  return std::any_of(std::begin(endings), std::end(endings),
                     [text](absl::string_view end) { return absl::EndsWith(text, end); });
}

bool HasStop(absl::string_view text) {
  static constexpr absl::string_view kStops[] = {".", "!", "?", "…", "”", "\"", "。", "！", "？"};
  return EndsWithAny(text, kStops);
}

bool IsSentence(absl::string_view text) {
  constexpr int kMinWordsOfSentence = 3;
  return HasStop(text) && CountWords(text) >= kMinWordsOfSentence;
}

// How WordPress says where and when an article was posted.
constexpr absl::string_view kEntryWasPosted[] = {"this entry was posted ",
                                                 "este post foi publicado em ",
                                                 "este artigo foi publicado em ",
                                                 "dette innlegget ble publisert i ",
                                                 "dette indlæg blev udgivet i ",
                                                 "tento příspěvek byl publikován v rubrice ",
                                                 "příspěvek byl publikován v rubrice ",
                                                 "detta inlägg publicerades i ",
                                                 "det här inlägget postades i ",
                                                 "esta entrada foi publicada em ",
                                                 "esta entrada fue publicada en ",
                                                 "dieser beitrag wurde unter ",
                                                 "dieser eintrag wurde veröffentlicht ",
                                                 "ce contenu a été publié dans ",
                                                 "cette entrée a été publiée dans ",
                                                 "dit bericht is geplaatst in ",
                                                 "dit bericht werd geplaatst in ",
                                                 "questa voce è stata pubblicata in ",
                                                 "questo articolo è stato pubblicato in ",
                                                 "запись опубликована в рубрике ",
                                                 "ten wpis został opublikowany w kategorii "};

// Returns whether `form` is such a line, and says what no text says: "Bookmark the permalink."
bool HasPermalink(absl::string_view form) {
  static constexpr absl::string_view kSigns[] = {"permalink",         "permalänk",
                                                 "permalenke",        "trvalý odkaz",
                                                 "link permanente",   "enlace permanente",
                                                 "permalien",         "rss 2.0",
                                                 "постоянную ссылку", "bezpośredniego odnośnika"};
  return BeginsWithAny(form, kEntryWasPosted) &&
         std::any_of(std::begin(kSigns), std::end(kSigns),
                     [form](absl::string_view sign) { return absl::StrContains(form, sign); });
}

// "View all posts by Ada Byron".
bool IsLinkToPosts(absl::string_view form) {
  struct Words {
    absl::string_view begin;
    absl::string_view end = "";
  };
  static constexpr Words kWords[] = {
      {"view all posts by "},
      {"ver todos os posts de "},
      {"ver todos os posts por "},
      {"ver todos os artigos de "},
      {"ver todas las entradas de "},
      {"ver todas las entradas por "},
      {"zeige alle beiträge von "},
      {"alle beiträge von ", " anzeigen"},
      {"alle beiträge anzeigen von "},
      {"voir tous les articles par "},
      {"voir tous les articles de "},
      {"voir toutes les publications de "},
      {"afficher tous les articles de "},
      {"vedi tutti gli articoli di "},
      {"mostra tutti gli articoli di "},
      {"visualizza tutti gli articoli di "},
      {"alle berichten van ", " bekijken"},
      {"bekijk alle berichten van "},
      {"toon alle berichten van "},
      {"visa alla inlägg av "},
      {"visa alla inlägg från "},
      {"vis alle innlegg av "},
      {"vis alle indlæg af "},
      {"vis alle indlæg fra "},
      {"se alle indlæg af "},
      {"näytä kaikki artikkelit kirjoittajalta "},
      {"näytä kaikki kirjoittajan "},
      {"", " tarafından yazılan tüm yazıları görüntüle"},
      {"", " tarafından gönderilmiş tüm yazıları gör"},
      {"", " tarafından gönderilen tüm yazıları gör"},
      {"просмотреть все записи автора "},
      {"посмотреть все записи автора "},
      {"zobacz wszystkie wpisy "},
      {"zobrazit všechny příspěvky od "},
      {"zobrazit všechny příspěvky, jejichž autorem je "},
      {"", " の投稿をすべて表示"},
      {"", "の投稿をすべて表示"},
      {"", "のすべての投稿を表示"},
      {"查看", "的所有文章"},
      {"查看", "发布的文章"},
      {"檢視", "的全部文章"},
      {"檢視", "的所有文章"},
      {"", "의 모든 글 보기"},
      {"", "의 글 모두 보기"},
  };
  return !IsSentence(form) &&
         std::any_of(std::begin(kWords), std::end(kWords), [form](const Words& words) {
           return absl::StartsWith(form, words.begin) && absl::EndsWith(form, words.end);
         });
}

// What WordPress says in its form for comments.
constexpr absl::string_view kCommentForm[] = {
    "your email address will not be published",
    "required fields are marked",
    "save my name, email, and website in this browser for the next time i comment",
    "notify me of follow-up comments by email",
    "notify me of new posts by email",
    "this site uses akismet to reduce spam. learn how your comment data is processed",
    "enter your comment here",
    "fill in your details below or click an icon to log in",
    "you must be logged in to post a comment",
    "din e-postadress kommer inte publiceras",
    "din e-postadress kommer inte att publiceras",
    "obligatoriska fält är märkta",
    "din e-postadresse vil ikke bli publisert",
    "obligatoriske felt er merket med",
    "din e-mailadresse vil ikke blive publiceret",
    "krævede felter er markeret med",
    "sähköpostiosoitettasi ei julkaista",
    "pakolliset kentät on merkitty",
    "e-posta adresiniz yayınlanmayacak",
    "e-posta hesabınız yayımlanmayacak",
    "gerekli alanlar",
    "vaše e-mailová adresa nebude zveřejněna",
    "vyžadované informace jsou označeny",
    "o seu endereço de email não será publicado",
    "campos obrigatórios marcados com",
    "必須項目です",
    "邮箱地址不会被公开",
    "發佈留言必須填寫的電子郵件地址不會公開",
    "o seu endereço de e-mail não será publicado",
    "campos obrigatórios são marcados",
    "tu dirección de correo electrónico no será publicada",
    "los campos obligatorios están marcados",
    "deine e-mail-adresse wird nicht veröffentlicht",
    "erforderliche felder sind mit",
    "votre adresse e-mail ne sera pas publiée",
    "votre adresse de messagerie ne sera pas publiée",
    "les champs obligatoires sont indiqués",
    "je e-mailadres wordt niet gepubliceerd",
    "je e-mailadres zal niet getoond worden",
    "vereiste velden zijn gemarkeerd",
    "il tuo indirizzo email non sarà pubblicato",
    "i campi obbligatori sono contrassegnati",
    "ваш адрес email не будет опубликован",
    "обязательные поля помечены",
    "twój adres e-mail nie zostanie opublikowany",
    "twój adres email nie zostanie opublikowany",
    "wymagane pola są oznaczone",
    "メールアドレスが公開されることはありません",
    "您的邮箱地址不会被公开",
    "您的电子邮箱地址不会被公开",
    "이메일 주소는 공개되지 않습니다"};

// Returns whether `form` is a line of that form and nothing else.
bool IsOfCommentForm(absl::string_view form) {
  while (absl::ConsumeSuffix(&form, ".") || absl::ConsumeSuffix(&form, "。")) continue;
  return std::find(std::begin(kCommentForm), std::end(kCommentForm), form) !=
         std::end(kCommentForm);
}

// "Your email address will not be published. Required fields are marked *".
bool HasMarkOfRequiredFields(absl::string_view form) {
  return BeginsWithAny(form, kCommentForm) &&
         (absl::StrContains(form, "*") || absl::StrContains(form, "※"));
}

// How Blogger links to other pages.
struct PageLinks {
  absl::string_view newer;
  absl::string_view older;
  absl::string_view home;
};
constexpr PageLinks kPageLinks[] = {
    {"newer post", "older post", "home"},
    {"newer posts", "older posts", "home"},
    {"postagem mais recente", "postagem mais antiga", "página inicial"},
    {"mensagem mais recente", "mensagem antiga", "página inicial"},
    {"entrada más reciente", "entrada antigua", "inicio"},
    {"entrada más reciente", "entrada antigua", "página principal"},
    {"neuerer post", "älterer post", "startseite"},
    {"article plus récent", "article plus ancien", "accueil"},
    {"article plus récent", "article plus ancien", "page d'accueil"},
    {"post più recente", "post più vecchio", "home page"},
    {"nieuwere post", "oudere post", "homepage"},
    {"nyare inlägg", "äldre inlägg", "startsida"},
    {"nyere innlegg", "eldre innlegg", "startsiden"},
    {"nyere opslag", "ældre opslag", "start"},
    {"uudempi teksti", "vanhempi teksti", "etusivu"},
    {"sonraki kayıt", "önceki kayıt", "ana sayfa"},
    {"nowszy post", "starszy post", "strona główna"},
    {"следующее", "предыдущее", "главная страница"},
    {"novější příspěvek", "starší příspěvek", "domovská stránka"},
    {"次の投稿", "前の投稿", "ホーム"},
    {"较新的博文", "较早的博文", "主页"},
    {"較新的文章", "較舊的文章", "首頁"},
    {"최근 게시물", "이전 게시물", "홈"},
};

bool IsPageLink(absl::string_view form) {
  return std::any_of(std::begin(kPageLinks), std::end(kPageLinks), [form](const PageLinks& links) {
    return form == links.newer || form == links.older || form == links.home;
  });
}

// "Newer Post Older Post Home", or two of them.
bool ArePageLinks(absl::string_view form) {
  return std::any_of(std::begin(kPageLinks), std::end(kPageLinks), [form](const PageLinks& links) {
    absl::string_view rest = form;
    int count = 0;
    for (const absl::string_view link : {links.newer, links.older, links.home}) {
      if (absl::ConsumePrefix(&rest, link)) ++count;
      absl::ConsumePrefix(&rest, " ");
    }
    return rest.empty() && count > 1;
  });
}

// Lines that stand nowhere but in a footer.
bool IsSureFooter(absl::string_view form) {
  static const auto& kLines = *new std::set<absl::string_view>{
      // English
      "no comments", "post a comment", "leave a comment", "leave a reply", "add a comment",
      "email thisblogthis!", "blogthis!", "cancel reply", "links to this post",
      "powered by blogger", "like loading...", "bookmark the permalink", "bookmark the permalink.",
      "comments are closed", "comments are closed.",
      // Portuguese
      "nenhum comentário", "postar um comentário", "enviar um comentário", "sem comentários",
      "deixe um comentário", "deixe uma resposta", "deixar uma resposta", "deixar um comentário",
      "tecnologia do blogger",
      // Spanish
      "no hay comentarios", "publicar un comentario", "deja un comentario", "deja una respuesta",
      "dejar un comentario", "deja tu comentario", "deja una respuesta cancelar la respuesta",
      "con la tecnología de blogger",
      // German
      "keine kommentare", "kommentar veröffentlichen", "schreibe einen kommentar",
      "kommentar verfassen", "schreib einen kommentar", "kommentar hinterlassen",
      "kommentar schreiben", "hinterlasse einen kommentar", "powered by blogger.",
      // French
      "aucun commentaire", "enregistrer un commentaire", "laisser un commentaire",
      "laissez un commentaire", "laisser une réponse", "fourni par blogger",
      // Dutch
      "geen opmerkingen", "een reactie posten", "een reactie plaatsen", "geef een reactie",
      "laat een reactie achter", "plaats een reactie", "mogelijk gemaakt door blogger",
      // Italian
      "nessun commento", "posta un commento", "lascia un commento", "lascia una risposta",
      "powered by blogger ",
      // Swedish
      "inga kommentarer", "skicka en kommentar", "lämna ett svar", "lämna en kommentar",
      "använder blogger", "använder blogger.",
      // Norwegian
      "ingen kommentarer", "legg inn en kommentar", "legg igjen en kommentar", "legg igjen et svar",
      "drevet av blogger", "drevet av blogger.",
      // Danish
      "send en kommentar", "skriv et svar", "skriv en kommentar", "læg en kommentar",
      "leveret af blogger", "leveret af blogger.",
      // Finnish
      "ei kommentteja", "lähetä kommentti", "jätä kommentti", "sisällön tarjoaa blogger",
      "sisällön tarjoaa blogger.",
      // Turkish
      "hiç yorum yok", "yorum gönder", "bir yanıt yazın", "bir cevap yazın", "yorum bırakın",
      "blogger tarafından desteklenmektedir", "blogger tarafından desteklenmektedir.",
      // Czech
      "žádné komentáře", "okomentovat", "napsat komentář", "zanechat odpověď", "přidat komentář",
      "používá technologii služby blogger", "používá technologii služby blogger.",
      // Russian
      "комментариев нет", "нет комментариев", "отправить комментарий", "добавить комментарий",
      "оставить комментарий", "оставьте комментарий", "технологии blogger",
      // Polish
      "brak komentarzy", "prześlij komentarz", "zostaw komentarz", "dodaj odpowiedź",
      "dodaj komentarz", "obsługiwane przez usługę blogger",
      // Japanese
      "コメントを投稿", "コメントを残す", "0 件のコメント", "コメントはありません",
      // Chinese
      "没有评论", "发表评论", "留下评论", "由 blogger 提供支持", "由 blogger 提供支持。",
      "技術提供：blogger", "發表留言", "发表回复", "沒有留言", "張貼留言", "發佈留言", "發表迴響",
      // Korean
      "댓글 없음", "댓글 쓰기", "댓글 달기", "댓글 남기기", "답글 남기기"};
  static constexpr absl::string_view kBeginnings[] = {
      "email thisblogthis!",
      "email this blogthis!",
      "share: email this",
      "enviar por e-mailpostar no blog!",
      "enviar por correo electrónicoescribe un blog",
      "diesen post per e-mail versendenblogthis!",
      "envoyer par e-mailblogthis!",
      "dit e-mailendit bloggen!",
      "invia tramite emailpostalo sul blog",
      "subscribe to: post comments",
      "subscribe to: comments",
      "subscribe to: posts",
      "enviar a mensagem por e-mail",
      "skicka med e-postblogthis!",
      "send dette via e-postblogthis!",
      "send med mailblogthis!",
      "kohteen lähettäminen sähköpostitse",
      "bunu e-postayla gönderblogthis!",
      "odeslat e-mailemblogthis!",
      "以電子郵件傳送這篇文章blogthis",
      "dit e-mailen dit bloggen!",
      "subscrever: enviar",
      "prenumerera på: kommentarer till inlägget",
      "abonner på: legg inn kommentarer",
      "abonner på: kommentarer til indlægget",
      "tilaa: lähetä kommentteja",
      "kaydol: kayıt yorumları",
      "přihlásit se k odběru: komentáře",
      "订阅：博文评论",
      "訂閱：張貼留言",
      "assinar: postar comentários",
      "suscribirse a: enviar comentarios",
      "abonnieren kommentare zum post",
      "abonnieren: kommentare zum post",
      "inscription à : publier les commentaires",
      "reacties posten (atom)",
      "iscriviti a: commenti sul post",
      "отправить по электронной почтенаписать об этом в блоге",
      "подписаться на: комментарии к сообщению",
      "wyślij pocztą e-mailwrzuć na bloga",
      "subskrybuj: komentarze do posta",
      "メールで送信blogthis!",
      "登録: コメントの投稿",
      "通过电子邮件发送blogthis!",
      "订阅： 博文评论",
      "訂閱： 張貼留言",
      "이메일로 전송blogthis!",
      "구독: 댓글"};
  // "Leave a Reply Cancel reply", "Click to share on X (Opens in new window)".
  static constexpr absl::string_view kEndings[] = {" cancel reply",
                                                   " cancelar a resposta",
                                                   " avbryt svar",
                                                   " annuller svar",
                                                   " peruuta vastaus",
                                                   " yanıtı iptal et",
                                                   " cevabı iptal et",
                                                   " zrušit odpověď na komentář",
                                                   " zrušit odpověď",
                                                   " 返信をキャンセル",
                                                   " 댓글 취소",
                                                   " (öppnas i ett nytt fönster)",
                                                   " (åpnes i nytt vindu)",
                                                   " (åbner i et nyt vindue)",
                                                   " (avautuu uudessa ikkunassa)",
                                                   " (yeni pencerede açılır)",
                                                   " (otevře se v novém okně)",
                                                   " (新しいウィンドウで開きます)",
                                                   " (在新窗口中打开)",
                                                   " (在新視窗中開啟)",
                                                   " (새 창에서 열림)",
                                                   " cancelar resposta",
                                                   " cancelar respuesta",
                                                   " cancelar la respuesta",
                                                   " antwort abbrechen",
                                                   " antworten abbrechen",
                                                   " annuler la réponse",
                                                   " reactie annuleren",
                                                   " antwoord annuleren",
                                                   " annulla risposta",
                                                   " отменить ответ",
                                                   " anuluj pisanie odpowiedzi",
                                                   " コメントをキャンセル",
                                                   " 取消回复",
                                                   " 取消回覆",
                                                   " 응답 취소",
                                                   " (opens in new window)",
                                                   " (abre em nova janela)",
                                                   " (se abre en una ventana nueva)",
                                                   " (wird in neuem fenster geöffnet)",
                                                   " (ouvre dans une nouvelle fenêtre)",
                                                   " (wordt in een nieuw venster geopend)",
                                                   " (si apre in una nuova finestra)",
                                                   " (открывается в новом окне)",
                                                   " (otwiera się w nowym oknie)"};
  return kLines.contains(form) || BeginsWithAny(form, kBeginnings) ||
         EndsWithAny(absl::StrCat(" ", absl::StripSuffix(form, ".")), kEndings) ||
         HasPermalink(form) || ArePageLinks(form) || IsLinkToPosts(form) ||
         HasMarkOfRequiredFields(form);
}

// "►  July (2)".
bool IsMonthOfArchive(absl::string_view form) {
  const bool has_arrow = absl::StartsWith(form, "►") || absl::StartsWith(form, "▼");
  if (!has_arrow || !absl::ConsumeSuffix(&form, ")")) return false;
  const size_t digits = form.size() - (form.find_last_not_of("0123456789") + 1);
  form.remove_suffix(digits);
  return digits > 0 && absl::EndsWith(form, " (");
}

// What stands before the tags of an article.
constexpr absl::string_view kNamesOfTags[] = {
    "labels",      "categories",   "category",    "tags",       "tag",        "tagged",
    "filed under", "marcadores",   "etiquetas",   "categorias", "categorías", "kategorien",
    "kategorie",   "schlagwörter", "libellés",    "catégories", "étiquettes", "mots-clés",
    "etichette",   "categorie",    "categorieën", "etiketter",  "kategorier", "emneord",
    "stikord",     "taggar",       "tunnisteet",  "kategoriat", "avainsanat", "etiketler",
    "kategoriler", "ярлыки",       "метки",       "рубрика",    "рубрики",    "etykiety",
    "tagi",        "štítky",       "rubriky",     "ラベル",     "カテゴリー", "タグ",
    "标签",        "分类",         "標籤",        "分類",       "라벨",       "태그",
    "카테고리"};

// Returns the length of what stands before the tags in "Labels: tides, sea"; 0 if nothing does.
size_t LengthOfNameOfTags(absl::string_view form) {
  for (const absl::string_view colon : {":", "："}) {
    const size_t end = form.find(colon);
    if (end == absl::string_view::npos) continue;
    const absl::string_view name = absl::StripTrailingAsciiWhitespace(form.substr(0, end));
    if (std::find(std::begin(kNamesOfTags), std::end(kNamesOfTags), name) ==
        std::end(kNamesOfTags)) {
      continue;
    }
    return end + colon.size();
  }
  return 0;
}

bool HasNameOfTags(absl::string_view form) { return LengthOfNameOfTags(form) > 0; }

// Short lines that may also be headings, or lines of verse.
bool IsLabelOfFooter(absl::string_view form) {
  static const auto& kLines = *new std::set<absl::string_view>{
      // English
      "share", "loading...", "twitter", "facebook", "pinterest", "linkedin", "reddit", "tumblr",
      "whatsapp", "telegram", "bluesky", "mastodon", "threads", "x", "pocket", "skype", "e-mail",
      "email", "print", "reply", "share this", "like this", "related", "related posts",
      "blog archive", "about me", "email this", "share to x", "share to twitter",
      "share to facebook", "share to pinterest", "filed under", "comments", "reactions",
      "previous post", "next post", "post navigation",
      // Portuguese
      "compartilhe", "curtir carregando...", "partilhar", "partilhe isto", "gosto disto",
      "gosto carregando...", "navegação de post", "navegação de posts", "navegação de artigos",
      "responder", "compartilhe isso", "curtir isso", "arquivo do blog", "quem sou eu",
      // Spanish
      "compártelo", "compartir", "me gusta cargando...", "navegación de entradas",
      "entradas relacionadas", "relacionado", "comparte esto", "me gusta esto", "archivo del blog",
      "compartir esto",
      // German
      "teilen", "gefällt mir wird geladen...", "gefällt mir lade...", "wird geladen...", "verwandt",
      "ähnliche artikel", "beitragsnavigation", "über mich", "antworten", "teilen mit",
      "blog-archiv", "gefällt mir", "ähnliche beiträge", "beitrags-navigation",
      // French
      "partagez", "partagez ceci", "j'aime ça", "j'aime chargement...", "similaire",
      "sur le même thème", "navigation des articles", "navigation de l'article", "répondre",
      "partager", "archives du blog", "articles similaires",
      // Italian
      "condividi su", "mi piace", "mi piace caricamento...", "correlati", "articoli correlati",
      "navigazione articoli", "navigazione articolo", "rispondi", "condividi", "archivio blog",
      // Dutch
      "dit delen", "deel dit", "vind ik leuk", "vind-ik-leuk", "like laden...",
      "vind-ik-leuk aan het laden...", "aan het laden...", "gerelateerd", "berichtnavigatie",
      "bericht navigatie", "over mij", "beantwoorden", "delen", "blogarchief",
      // Swedish
      "dela", "dela detta", "dela det här", "gilla", "gilla detta", "gilla laddar in...",
      "relaterade", "relaterat", "inläggsnavigering", "bloggarkiv", "om mig", "kommentera", "svara",
      "svar",
      // Norwegian
      "del", "del dette", "lik dette", "liker", "liker laster inn...", "lik laster inn...",
      "laster inn...", "relatert", "innleggsnavigasjon", "om meg",
      // Danish
      "synes godt om", "synes godt om dette", "like henter...", "indlæser...", "relateret",
      "indlægsnavigation", "blog-arkiv",
      // Finnish
      "jaa", "jaa tämä", "tykkää", "tykkää tästä", "tykkää lataa...", "lataa...",
      "aiheeseen liittyy", "artikkelien selaus", "blogiarkisto", "tietoja minusta", "vastaa",
      "kommentoi",
      // Turkish
      "bunu paylaş", "paylaş", "bunu beğen", "beğen", "beğen yükleniyor...", "yükleniyor...",
      "İlgili", "yazı gezinmesi", "yazı dolaşımı", "blog arşivi", "hakkımda",
      // Polish
      "lubię to", "polub", "lubię wczytywanie...", "powiązane", "nawigacja wpisu", "zobacz wpisy",
      "archiwum bloga", "o mnie", "udostępnij", "podobne",
      // Russian
      "поделиться", "понравилось это", "нравится", "нравится загрузка...", "загрузка...",
      "навигация по записям", "архив блога", "обо мне", "поделиться ссылкой", "похожее",
      // Czech
      "sdílet", "sdílejte", "líbí se mi", "to se mi líbí", "to se mi líbí načítání...",
      "načítání...", "související", "navigace pro příspěvek", "navigace příspěvku", "archiv blogu",
      "o mně",
      // Japanese
      "共有", "いいね", "いいね 読み込み中...", "関連", "投稿ナビゲーション", "ブログ アーカイブ",
      "自己紹介",
      // Chinese
      "分享到", "共享此文章", "分享此文", "赞过", "赞 正在加载...", "正在加载...", "相关",
      "文章导航", "博客归档", "关于我", "請按讚", "喜歡 正在載入...", "正在載入...", "相關",
      "文章導覽", "網誌存檔", "關於我自己",
      // Korean
      "공유하기", "이것이 좋아요", "좋아하기 가져오는 중...", "관련", "글 내비게이션", "글 탐색",
      "블로그 보관함", "내 소개"};
  static constexpr absl::string_view kBeginnings[] = {"libellés", "subscribe to:"};
  return IsMonthOfArchive(form) || kLines.contains(form) || IsPageLink(form) ||
         ((BeginsWithAny(form, kBeginnings) || HasNameOfTags(form)) && !IsSentence(form));
}

// Lines as texts have them too, and not only as headings.
bool MayBeOfText(absl::string_view form) {
  static constexpr absl::string_view kBeginnings[] = {
      // Where an article stands
      "posted in ", "tagged ", "published by ", "veröffentlicht von ", "publié par ",
      "publicado por ", "pubblicato da ", "gepubliceerd door ", "publicerat av ", "publicerad av ",
      "publisert av ", "udgivet af ", "julkaissut ", "kirjoittanut ", "yayınlayan ",
      "opublikowane przez ", "опубликовано ", "опубликовал ", "publikoval ", "公開者: ", "发布者",
      "發佈者", "publicerat i ", "publisert i ", "udgivet i ", "julkaistu kategoriassa ",
      "publikováno v rubrice ", "etiketlendi ", "märkt ", "tagget ", "klicka för att dela ",
      "klikk for å dele ", "klik for at dele ", "jaa palvelussa ", "klikněte pro sdílení ",
      "paylaşmak için tıklayın", "クリックして", "点击以", "點擊分享", "클릭하여 ", "publicado em ",
      "publicado en ", "veröffentlicht in ", "publié dans ", "verschlagwortet mit ",
      "geplaatst in ", "pubblicato in ", "opublikowano w ",
      "pingback: ", "you are commenting using your ", "click to share on ", "click to email ",
      "click to print ", "clique para compartilhar ", "haz clic para compartir ", "klick, um auf ",
      "klick, um über ", "cliquez pour partager ", "cliquer pour partager ", "klik om te delen ",
      "fai clic per condividere ", "нажмите, чтобы поделиться ", "kliknij, aby udostępnić ",
      // Links to others
      "投稿者: ", "previous post: ", "next post: ", "previous previous post: ", "next next post: ",
      "vorheriger beitrag", "nächster beitrag", "zurück vorheriger beitrag",
      "weiter nächster beitrag", "article précédent", "article suivant",
      "précédent article précédent", "suivant article suivant", "publication précédente",
      "publication suivante", "entrada anterior", "entrada siguiente", "siguiente entrada",
      "anterior entrada anterior", "siguiente entrada siguiente", "siguiente siguiente entrada",
      "post anterior", "próximo post", "anterior post anterior", "próximo próximo post",
      "artigo anterior", "artigo seguinte", "articolo precedente", "articolo successivo",
      "precedente articolo precedente", "successivo articolo successivo", "vorig bericht",
      "volgend bericht", "vorige vorig bericht", "volgende volgend bericht", "föregående inlägg",
      "nästa inlägg", "föregående föregående inlägg", "nästa nästa inlägg", "forrige innlegg",
      "neste innlegg", "forrige forrige innlegg", "neste neste innlegg", "forrige indlæg",
      "næste indlæg", "forrige forrige indlæg", "næste næste indlæg", "edellinen artikkeli",
      "seuraava artikkeli", "edellinen edellinen artikkeli", "seuraava seuraava artikkeli",
      "önceki yazı", "sonraki yazı", "önceki önceki yazı", "sonraki sonraki yazı", "poprzedni wpis",
      "następny wpis", "poprzedni poprzedni wpis", "następny następny wpis", "предыдущая запись",
      "следующая запись", "назад предыдущая запись", "далее следующая запись",
      "předchozí příspěvek", "následující příspěvek", "předchozí předchozí příspěvek",
      "následující následující příspěvek", "前の投稿: ", "次の投稿: ", "前 前の投稿", "次 次の投稿",
      "上一篇", "下一篇", "이전 글", "다음 글"};
  const bool is_arrow = absl::StartsWith(form, "← ") || absl::EndsWith(form, " →");
  const bool begins = BeginsWithAny(form, kBeginnings) || BeginsWithAny(form, kEntryWasPosted);
  return is_arrow || IsOfCommentForm(form) || (begins && !IsSentence(form));
}

// Removes "3 ", "1,234 " or "one " from the beginning of `form`.
bool ConsumeCount(absl::string_view& form) {
  const size_t space = form.find(' ');
  if (space == 0 || space == absl::string_view::npos) return false;
  const absl::string_view count = form.substr(0, space);
  static constexpr absl::string_view kOne[] = {
      "one", "en",   "ett", "et",  "én",  "yksi", "bir",  "um",   "uma",   "un",   "una",
      "ein", "eine", "une", "een", "één", "uno",  "один", "одна", "jeden", "jedna"};
  const bool is_number = count.find_first_not_of("0123456789,") == absl::string_view::npos;
  if (!is_number && std::find(std::begin(kOne), std::end(kOne), count) == std::end(kOne)) {
    return false;
  }
  form.remove_prefix(space + 1);
  return true;
}

// Returns whether `form` is a count in a language that writes no spaces: "3件のコメント".
bool IsCloseCommentCount(absl::string_view form) {
  for (const absl::string_view noun :
       {"件のコメント", "件のコメントがあります", "件のコメントがあります。", "件のフィードバック",
        "件の返信", "条评论", "个想法", "条回复", "條留言", "則迴響", "개의 생각", "个评论",
        "个回复", "則留言", "개의 댓글", "개의 응답"}) {
    absl::string_view rest = form;
    if (!absl::ConsumeSuffix(&rest, noun)) continue;
    rest = absl::StripTrailingAsciiWhitespace(rest);
    return absl::EndsWith(rest, "一") ||
           (!rest.empty() && absl::ascii_isdigit(static_cast<unsigned char>(rest.back())));
  }
  return absl::ConsumePrefix(&form, "댓글 ") && absl::ConsumeSuffix(&form, "개") && !form.empty() &&
         form.find_first_not_of("0123456789,") == absl::string_view::npos;
}

// "3 comments", "1,234 comments", "One thought on “Low Water”".
bool IsCommentCount(absl::string_view form) {
  static constexpr absl::string_view kNouns[] = {
      "comment",     "comments",     "svar",        "tankar",       "kommentarer", "kommenttia",
      "kommentti",   "yorum",        "komentář",    "komentáře",    "komentářů",   "reactie",
      "comentário",  "comentários",  "comentario",  "comentarios",  "kommentar",   "kommentare",
      "commentaire", "commentaires", "opmerking",   "opmerkingen",  "reacties",    "commento",
      "commenti",    "комментарий",  "комментария", "комментариев", "komentarz",   "komentarze",
      "komentarzy"};
  static constexpr absl::string_view kAboutTitle[] = {"thought on ",
                                                      "thoughts on ",
                                                      "svar på ",
                                                      "tanke på ",
                                                      "tankar på ",
                                                      "tankar om ",
                                                      "kommentar til ",
                                                      "kommentarer til ",
                                                      "kommentar om ",
                                                      "kommentarer om ",
                                                      "svar til ",
                                                      "tanke om ",
                                                      "tanker om ",
                                                      "vastaus artikkeliin ",
                                                      "vastausta artikkeliin ",
                                                      "kommentti artikkeliin ",
                                                      "kommenttia artikkeliin ",
                                                      "kommenttia artikkelissa ",
                                                      "kommentti artikkelissa ",
                                                      "komentář u ",
                                                      "komentáře u ",
                                                      "komentářů u ",
                                                      "komentář u textu ",
                                                      "komentáře u textu ",
                                                      "komentářů u textu ",
                                                      "komentář: ",
                                                      "antwoord op ",
                                                      "antwoorden op ",
                                                      "risposta a ",
                                                      "risposte a ",
                                                      "pensieri su ",
                                                      "myśli na temat ",
                                                      "odpowiedzi na ",
                                                      "odpowiedź do ",
                                                      "odpowiedzi do ",
                                                      "ответ на ",
                                                      "ответа на ",
                                                      "ответов на ",
                                                      "pensamento sobre ",
                                                      "pensamentos sobre ",
                                                      "resposta a ",
                                                      "respostas a ",
                                                      "idea sobre ",
                                                      "ideas sobre ",
                                                      "pensamiento sobre ",
                                                      "pensamientos sobre ",
                                                      "avis sur ",
                                                      "comment on ",
                                                      "comments on ",
                                                      "response to ",
                                                      "responses to ",
                                                      "reply to ",
                                                      "replies to ",
                                                      "comentário em ",
                                                      "comentários em ",
                                                      "comentário sobre ",
                                                      "comentários sobre ",
                                                      "ideia sobre ",
                                                      "ideias sobre ",
                                                      "comentario en ",
                                                      "comentarios en ",
                                                      "respuesta a ",
                                                      "respuestas a ",
                                                      "gedanke zu ",
                                                      "gedanken zu ",
                                                      "kommentar zu ",
                                                      "kommentare zu ",
                                                      "antwort auf ",
                                                      "antworten auf ",
                                                      "réflexion sur ",
                                                      "réflexions sur ",
                                                      "commentaire sur ",
                                                      "commentaires sur ",
                                                      "réponse à ",
                                                      "réponses à ",
                                                      "gedachte over ",
                                                      "gedachten over ",
                                                      "reactie op ",
                                                      "reacties op ",
                                                      "commento su ",
                                                      "commenti su ",
                                                      "pensiero su ",
                                                      "комментарий к ",
                                                      "комментария к ",
                                                      "комментариев к ",
                                                      "комментарий на ",
                                                      "комментария на ",
                                                      "комментариев на ",
                                                      "komentarz do ",
                                                      "komentarze do ",
                                                      "komentarzy do ",
                                                      "myśl nt. ",
                                                      "przemyślenia nt. ",
                                                      "przemyśleń nt. "};
  static constexpr absl::string_view kQuotes[] = {"“", "\"", "„", "«", "‘", "”"};
  // "“Low Water” üzerine 3 yorum".
  static constexpr absl::string_view kAfterTitle[] = {"” üzerine ", "” için ", "\" üzerine ",
                                                      "\" için "};
  if (IsCloseCommentCount(form)) return true;
  for (const absl::string_view after : kAfterTitle) {
    const size_t at = form.rfind(after);
    if (at == absl::string_view::npos || !BeginsWithAny(form, kQuotes)) continue;
    form.remove_prefix(at + after.size());
    return ConsumeCount(form) && (form == "yorum" || form == "yanıt" || form == "düşünce");
  }
  if (!ConsumeCount(form)) return false;
  if (std::find(std::begin(kNouns), std::end(kNouns), form) != std::end(kNouns)) return true;
  return std::any_of(std::begin(kAboutTitle), std::end(kAboutTitle),
                     [form](absl::string_view about) {
                       absl::string_view title = form;
                       return absl::ConsumePrefix(&title, about) && BeginsWithAny(title, kQuotes);
                     });
}

// "Posted in Harbour | Tagged boats | 3 Comments".
bool AreFooterParts(absl::string_view form) {
  const std::vector<absl::string_view> parts = absl::StrSplit(form, " | ");
  return parts.size() > 1 && std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
           return IsSureFooter(part) || IsCommentCount(part) || IsLabelOfFooter(part) ||
                  MayBeOfText(part);
         });
}

// Removes a time of day from the beginning of `text`: "10:00", "10:00 AM".
bool ConsumeTimeOfDay(absl::string_view& text) {
  for (const absl::string_view half : {"午前", "午後", "上午", "下午", "오전 ", "오후 "}) {
    if (absl::ConsumePrefix(&text, half)) break;
  }
  const size_t end = std::min(text.find_first_not_of("0123456789:."), text.size());
  absl::Time time;
  std::string problem;
  const std::string digits = absl::StrReplaceAll(text.substr(0, end), {{".", ":"}});
  if (!absl::ParseTime("%H:%M", digits, &time, &problem)) return false;
  text.remove_prefix(end);
  text = absl::StripLeadingAsciiWhitespace(text);
  for (const absl::string_view half : {"am", "pm", "a.m.", "p.m.", "uhr"}) {
    if (absl::ConsumePrefix(&text, half)) break;
  }
  text = absl::StripLeadingAsciiWhitespace(text);
  return true;
}

bool IsFooterLine(absl::string_view form);

// How Blogger says who posted an article, and when.
struct PostedBy {
  absl::string_view begin;
  absl::string_view at;
};
constexpr std::array kPostedBy = {
    PostedBy{"publicado por ", " a la(s) "},
    PostedBy{"publicado por ", " a las "},
    PostedBy{"upplagd av ", " kl. "},
    PostedBy{"lagt inn av ", " kl. "},
    PostedBy{"indsendt af ", " kl. "},
    PostedBy{"sendt af ", " kl. "},
    PostedBy{"lähettänyt ", " klo "},
    PostedBy{"gönderen ", " zaman: "},
    PostedBy{"vystavil ", " v "},
    PostedBy{"vystavila ", " v "},
    PostedBy{"vystavil(a) ", " v "},
    PostedBy{"发帖者 ", " 时间： "},
    PostedBy{"发布者： ", " 时间： "},
    PostedBy{"發佈者：", " 於 "},
    PostedBy{"автор: ", " в "},
    PostedBy{"게시자: ", " 시간: "},
    PostedBy{"posted by ", " at "},
    PostedBy{"postado por ", " às "},
    PostedBy{"publicada por ", " à(s) "},
    PostedBy{"publicado por ", " en "},
    PostedBy{"eingestellt von ", " um "},
    PostedBy{"publié par ", " à "},
    PostedBy{"gepost door ", " op "},
    PostedBy{"pubblicato da ", " alle "},
    PostedBy{"posted by ", " on "},
    PostedBy{"автор: ", " на "},
    PostedBy{"autor: ", " o "},
    PostedBy{"投稿者 ", " 時刻: "},
    PostedBy{"发布者：", " 时间： "},
    PostedBy{"張貼者： ", " 於 "},
    PostedBy{"작성자: ", " 시간: "},
};

// Returns the name in "Posted by Ada at 10:00 AM" as it stands in `line`, of which nothing else may
// follow but a footer.
std::optional<std::string> NameInPostedBy(absl::string_view line) {
  const std::string text = OneLine(absl::StrReplaceAll(line, {{"\u00A0", " "}}));
  const std::string lower = LowerCase(text);
  for (const PostedBy& words : kPostedBy) {
    if (!absl::StartsWith(lower, words.begin)) continue;
    const size_t at = absl::string_view(lower).rfind(words.at);
    if (at == absl::string_view::npos || at < words.begin.size()) continue;
    absl::string_view rest = absl::string_view(lower).substr(at + words.at.size());
    if (!ConsumeTimeOfDay(rest)) continue;
    absl::ConsumeSuffix(&rest, ":");
    if (!rest.empty() && !IsFooterLine(rest)) continue;
    return text.substr(words.begin.size(), at - words.begin.size());
  }
  return std::nullopt;
}

bool IsFooterLine(absl::string_view form) {
  return IsSureFooter(form) || IsCommentCount(form) || AreFooterParts(form);
}

// "Ann says:", as WordPress has it above the date of a comment. Texts have such lines too.
bool MayBeHeadOfComment(absl::string_view form) {
  static constexpr absl::string_view kVerbs[] = {
      " säger",   " sier",     " skriver",  " siger",     " sanoo", " kirjoitti",
      " dedi ki", " diyor ki", " napsal",   " napsal(a)", " píše",  "のコメント",
      " says",    " said",     " disse",    " diz",       " dice",  " dijo",
      " sagt",    " sagte",    " schreibt", " dit",       " a dit", " zegt",
      " schreef", " ha detto", " scrive",   " говорит",   " пишет", " pisze",
      " mówi",    "说道",      "說道",      "说",         "より",   "님의 말"};
  return form.size() < 80 && EndsWithAny(form, kVerbs);
}

// "Ann said...", above a comment.
bool IsSureHeadOfComment(absl::string_view form) {
  for (absl::string_view dots : {"...", "…"}) {
    absl::string_view rest = form;
    if (!absl::ConsumeSuffix(&rest, dots)) continue;
    for (const absl::string_view verb :
         {" sa", " säger", " sier", " sagde", " kirjoitti", " dedi ki", " řekl(a)", " pisze",
          " комментирует", " said", " disse", " dijo", " hat gesagt", " a dit", " zei",
          " ha detto"}) {
      if (absl::EndsWith(rest, verb) && rest.size() < 80) return true;
    }
  }
  return false;
}

// The lines of a page that are not blank, in the form in which footers are compared.
class FooterFinder {
 public:
  explicit FooterFinder(const std::vector<std::string>& lines) : lines_(lines) {
    for (size_t i = 0; i < lines.size(); ++i) {
      std::string form = lines[i].size() > kMaxFooterBytes ? "-" : FooterForm(lines[i]);
      if (!form.empty()) entries_.push_back({.line = i, .form = std::move(form)});
    }
    for (size_t i = 0; i < entries_.size(); ++i) entries_[i].kind = KindOf(i);
    for (size_t i = entries_.size(); i-- > 0;) entries_[i].leads_to = LeadsTo(i);
  }

  TextFooter Find() {
    FindLast();
    TextFooter footer{.begin = lines_.size(), .author = "", .tags = {}};
    const size_t first = FirstEntry();
    if (first == entries_.size()) return footer;
    footer.begin = entries_[first].line;
    for (size_t i = first; i < entries_.size(); ++i) {
      if (footer.author.empty()) footer.author = AuthorAt(i).value_or("");
      for (std::string& tag : TagsAt(i)) {
        const bool is_new =
            std::find(footer.tags.begin(), footer.tags.end(), tag) == footer.tags.end();
        if (is_new) footer.tags.push_back(std::move(tag));
      }
    }
    return footer;
  }

 private:
  enum class Kind { kText, kMayBeOfText, kLabel, kSure };

  // What a line leads to by lines of a footer alone. Only labels lead to the end.
  enum class Goal { kText, kEnd, kSureLine };

  struct Entry {
    size_t line;
    std::string form;
    Kind kind = Kind::kText;
    Goal leads_to = Goal::kText;
  };

  Kind KindOf(size_t i) const {
    const std::string& form = entries_[i].form;
    if (IsFooterLine(form) || AuthorAt(i)) return Kind::kSure;
    if (IsLabelOfFooter(form)) return Kind::kLabel;
    return MayBeOfText(form) ? Kind::kMayBeOfText : Kind::kText;
  }

  // The next entry must have its goal.
  Goal LeadsTo(size_t i) const {
    const Kind kind = entries_[i].kind;
    if (kind == Kind::kText) return Goal::kText;
    if (kind == Kind::kSure) return Goal::kSureLine;
    const Goal next = i + 1 < entries_.size() ? entries_[i + 1].leads_to : Goal::kEnd;
    return next == Goal::kEnd && kind != Kind::kLabel ? Goal::kText : next;
  }

  size_t FirstEntry() const {
    size_t i = 0;
    while (i < entries_.size() && !BeginsFooter(i)) ++i;
    return i;
  }

  // Finds the last entries of each kind.
  void FindLast() {
    for (size_t i = 0; i < entries_.size(); ++i) {
      if (IsFooterLine(entries_[i].form)) {
        last_sure_ = i;
      } else if (IsHeadOfComment(i)) {
        last_comment_ = i;
      } else if (IsProse(i)) {
        last_prose_ = i;
      }
    }
  }

  // Lines of a footer also stand in texts. Where prose follows that is no comment, one of them is
  // not enough: what a reader loses here is gone.
  bool BeginsFooter(size_t i) const {
    const Entry& entry = entries_[i];
    const bool ends_prose = last_prose_ <= i;
    if (IsHeadOfComment(i)) return IsDatedComment(i);
    if (IsCommentCount(entry.form)) return ends_prose || last_comment_ > i || last_sure_ > i;
    if (entry.kind == Kind::kSure) return ends_prose || IsBesideFooter(i);
    if (GoesOn(i)) return false;
    // A label alone is no footer, unless it names labels.
    const bool is_last = i + 1 == entries_.size();
    return is_last ? !TagsAt(i).empty() && entry.kind == Kind::kLabel
                   : entry.leads_to != Goal::kText;
  }

  // Returns whether a line goes on from the one right above it, as "home" does in verse.
  bool GoesOn(size_t i) const {
    if (i == 0 || entries_[i - 1].line + 1 != entries_[i].line) return false;
    return entries_[i - 1].kind == Kind::kText &&
           !HasStop(TrimWhiteSpace(lines_[entries_[i - 1].line]));
  }

  bool IsHeadOfComment(size_t i) const {
    if (IsSureHeadOfComment(entries_[i].form)) return true;
    return MayBeHeadOfComment(entries_[i].form) && i + 1 < entries_.size() &&
           ParseWrittenDate(lines_[entries_[i + 1].line]).has_value();
  }

  // Returns whether a line is of running text: long, or a sentence.
  bool IsProse(size_t i) const {
    constexpr size_t kMaxCharactersOfLabel = 60;
    if (entries_[i].kind != Kind::kText) return false;
    const absl::string_view line = TrimWhiteSpace(lines_[entries_[i].line]);
    return CountCharacters(line) > kMaxCharactersOfLabel || IsSentence(line);
  }

  // Returns whether a date follows "Ann said..." before somebody else said something, and a line of
  // a footer at the end. In an interview, none does.
  bool IsDatedComment(size_t i) const {
    for (size_t next = i + 1; next < last_sure_; ++next) {
      if (IsHeadOfComment(next)) return false;
      if (ParseWrittenDate(lines_[entries_[next].line])) return true;
    }
    return false;
  }

  // Returns whether one of the next lines is of a footer.
  bool IsBesideFooter(size_t i) const {
    for (size_t next = i + 1; next < std::min(i + 4, entries_.size()); ++next) {
      const Kind kind = entries_[next].kind;
      if (kind == Kind::kSure || kind == Kind::kLabel || IsHeadOfComment(next)) return true;
    }
    return false;
  }

  // The words may stand on one line each.
  std::optional<std::string> AuthorAt(size_t i) const {
    if (lines_[entries_[i].line].size() > kMaxFooterBytes) return std::nullopt;
    if (std::optional<std::string> name = NameInPostedBy(lines_[entries_[i].line])) return name;
    const std::string begin = absl::StrCat(entries_[i].form, " ");
    const bool is_begin = std::any_of(kPostedBy.begin(), kPostedBy.end(),
                                      [&](const PostedBy& words) { return words.begin == begin; });
    if (!is_begin) return std::nullopt;
    std::string joined = lines_[entries_[i].line];
    for (size_t next = i + 1; next < std::min(i + 4, entries_.size()); ++next) {
      absl::StrAppend(&joined, " ", lines_[entries_[next].line]);
    }
    return NameInPostedBy(joined);
  }

  std::vector<std::string> TagsAt(size_t i) const {
    const std::string line = SingleSpaced(lines_[entries_[i].line]);
    if (line.size() > kMaxFooterBytes || !HasNameOfTags(entries_[i].form)) return {};
    const size_t begin = LengthOfNameOfTags(LowerCase(line));
    const absl::string_view names = absl::string_view(line).substr(begin);
    std::vector<std::string> tags;
    for (const absl::string_view tag : absl::StrSplit(
             absl::StrReplaceAll(names, {{"、", ","}, {"，", ","}}), ',', absl::SkipWhitespace())) {
      tags.emplace_back(absl::StripAsciiWhitespace(tag));
    }
    return tags;
  }

  const std::vector<std::string>& lines_;
  std::vector<Entry> entries_;
  // Of entries; 0 if there is none, which is as good as the first.
  size_t last_sure_ = 0;
  size_t last_comment_ = 0;
  size_t last_prose_ = 0;
};

}  // namespace

TextFooter FindFooter(const std::vector<std::string>& lines) { return FooterFinder(lines).Find(); }

}  // namespace content::transfer
