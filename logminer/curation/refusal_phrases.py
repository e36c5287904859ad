"""How models refuse and apologize, in six languages, as data that a person can read and add to.

A phrase is lower case, with straight apostrophes. `(a|b)` is a choice, in which an empty side makes the other one
optional; `…` stands for up to six words of the same sentence. A phrase is looked for where a sentence or a clause
begins, or after one of the language's `leads`. It takes a verb of helping or telling to make a refusal: "I cannot
find your order" and "I can't recommend it enough" are none.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """The phrases of one language. `greetings` are first words of a sentence that is passed over."""

    name: str
    greetings: tuple[str, ...]
    leads: tuple[str, ...]
    refusals: tuple[str, ...]
    apologies: tuple[str, ...]


_EN_CANNOT = "(cannot and will not|can't and won't|cannot|can't|can not|could not|couldn't|won't|will not|must not|should not|shouldn't)"
_EN_UNABLE = "(unable|not able|not allowed|not permitted|not authorized|not in a position|not comfortable)"
_EN_ADVERB = "(unfortunately |currently |directly |personally |in good conscience |ethically |legally |)"
_EN_VERB = (
    "(help|assist|provide|fulfill|fulfil|satisfy|comply|contribute|answer|generate|create|write|produce|share|disclose|reveal|"
    "give|offer|discuss|engage|participate|support|accommodate|process|complete|carry out|"
    "respond|do that|do this|do so|advise|continue with|go along)"
)

_ENGLISH = Language(
    name="English",
    greetings=(
        "hi", "hello", "hey", "dear", "good morning", "good afternoon", "good evening", "good day", "thank you",
        "thanks", "sure",
    ),
    leads=("but", "and", "however", "unfortunately", "regrettably", "sadly", "afraid", "that", "sorry"),
    refusals=(
        f"i {_EN_ADVERB}{_EN_CANNOT} {_EN_ADVERB}{_EN_VERB}",
        f"we {_EN_ADVERB}{_EN_CANNOT} {_EN_ADVERB}{_EN_VERB}",
        "(can't|cannot|can not|unable to) (help|assist|comply|do that)",
        f"(i am|i'm|we are|we're) {_EN_ADVERB}{_EN_UNABLE} to {_EN_ADVERB}{_EN_VERB}",
        "(i am|i'm) not (comfortable|going to|willing to|programmed to|designed to|able to do)",
        f"(i am|i'm) not comfortable … {_EN_VERB}",
        f"(i|we) (won't|will not|may not) be able to {_EN_ADVERB}{_EN_VERB}",
        "i (must|have to|need to) … (decline|refuse)",
        "(i decline|i refuse|i respectfully decline) to",
        "i (don't|do not) (feel comfortable|have the ability to|have permission to)",
        "i (don't|do not) (assist|engage in|provide|create|generate|produce|write)",
        f"i would never {_EN_VERB}",
        "(i'd|i would) (rather|prefer) not",
        "as an ai … i (cannot|can't|can not|don't|do not|am not|am unable|'m not)",
        "as a (large |)language model … i (cannot|can't|can not|don't|do not|am not|am unable)",
        "(i am|i'm) (just |only |)an ai … (cannot|can't|don't|do not|not able)",
        "(that's|that is|this is|it's|it is) something (that |)i (can't|cannot|can not|won't|am unable to)",
        "(that's|that is|this is|it's|it is) not something (that |)i (can|will|am able to)",
        "(that|this|it) isn't something (that |)i (can|will|am able to)",
        "it (would not|wouldn't|would|is not|isn't) … (inappropriate|appropriate|ethical|unethical) for me",
        "it (is not|isn't|would not be) (appropriate|ethical|legal) to (help|assist|provide|create|generate|write)",
        "(your|this|that) request (cannot|can't) be (fulfilled|processed|completed)",
        "(your|this|that) request (violates|goes against)",
    ),
    apologies=(
        "(i am|i'm|we are|we're) (so |very |really |truly |deeply |terribly |extremely |)sorry",
        "(so |very |really |)sorry(,|.|!| about| for| to hear| if| that| but| i| we| you| again)",
        "(i|we) (sincerely |deeply |do |must |)(apologize|apologise)",
        "(my|our|please accept my|please accept our) (sincere |sincerest |deepest |)apologies",
        "apologies(,|.|!| for| if| that| but)",
        "(i|we) (deeply |sincerely |)regret",
    ),
)  # fmt: skip

_DE_VERB = (
    "(helfen|weiterhelfen|behilflich sein|unterstützen|assistieren|beantworten|antworten|bereitstellen|erfüllen|"
    "nachkommen|erstellen|schreiben|verfassen|generieren|geben|herausgeben|nennen|mitteilen|teilen|anbieten|"
    "durchführen|bearbeiten|entsprechen|dienen|leisten|tun|machen)"
)

_GERMAN = Language(
    name="German",
    greetings=(
        "hallo", "guten tag", "guten morgen", "guten abend", "sehr geehrte", "sehr geehrter", "liebe", "lieber",
        "vielen dank", "danke",
    ),
    leads=(
        "aber", "jedoch", "doch", "leider", "und", "dass", "bedauerlicherweise", "dabei", "damit", "hierbei", "dazu",
        "hierzu", "hier", "das", "dies",
    ),
    refusals=(
        f"ich (kann|darf|werde|möchte|könnte) … nicht … {_DE_VERB}",
        f"(kann|darf|werde|möchte) ich … nicht … {_DE_VERB}",
        f"ich (kann|darf|werde) … (keine|keinen|kein) … {_DE_VERB}",
        f"(kann|darf|werde) ich … (keine|keinen|kein) … {_DE_VERB}",
        "ich bin … nicht (in der lage|befugt|berechtigt|befähigt)",
        "bin ich … nicht (in der lage|befugt|berechtigt|befähigt)",
        "es ist mir … nicht (möglich|gestattet|erlaubt)",
        "ist es mir … nicht (möglich|gestattet|erlaubt)",
        "ich muss … ablehnen",
        (
            "(als|ich bin nur) (ein |eine |)(ki|sprachmodell|ki-modell|ki-sprachmodell|ki-assistent|künstliche intelligenz) "
            "(kann|darf|habe|bin) ich … (nicht|keine|keinen|kein)"
        ),
    ),
    apologies=(
        "(es |)tut mir (sehr |wirklich |aufrichtig |außerordentlich |)leid",
        "(ich bitte|wir bitten|bitte) … um (entschuldigung|verzeihung)",
        "(ich entschuldige mich|wir entschuldigen uns)",
        "(bitte |)(entschuldigen sie|entschuldige|entschuldigung|verzeihung|verzeihen sie)",
        "(ich bedauere|wir bedauern)",
    ),
)  # fmt: skip

_FR_VERB = (
    "(aider|assister|fournir|répondre|donner|générer|créer|écrire|rédiger|produire|partager|divulguer|satisfaire|"
    "accéder à|traiter|proposer|conseiller|discuter|faire cela|accomplir)"
)

_FRENCH = Language(
    name="French",
    greetings=("bonjour", "bonsoir", "salut", "cher", "chère", "merci", "madame", "monsieur"),
    leads=("mais", "et", "cependant", "toutefois", "malheureusement", "hélas", "que", "désolé", "désolée"),
    refusals=(
        f"je ne (peux|puis|pourrai|pourrais) … pas … (t'|l'|m'|d'|y |en |){_FR_VERB}",
        "je ne suis … (pas en mesure|pas autorisé|pas autorisée|pas capable|pas habilité|pas habilitée)",
        "je suis … (dans l'incapacité|incapable) (de|d')",
        "il m'est … impossible",
        "il ne m'est … pas possible",
        "je (dois|me vois contraint de|me vois obligé de|suis obligé de|préfère) … (refuser|décliner)",
        "en tant (qu'ia|qu'intelligence artificielle|que modèle de langage|qu'assistant) … je ne",
        "(votre|cette) demande ne peut (pas |)être (satisfaite|traitée)",
    ),
    apologies=(
        "je suis (vraiment |sincèrement |profondément |)(désolé|désolée|navré|navrée)",
        "nous sommes (vraiment |sincèrement |profondément |)(désolés|désolées|navrés|navrées)",
        "(désolé|désolée)",
        "(je m'excuse|nous nous excusons|veuillez m'excuser|veuillez nous excuser|toutes mes excuses|mes excuses)",
        "(je vous présente|nous vous présentons) … excuses",
        "je (vous |te |)prie de (bien vouloir |)m'excuser",
    ),
)

_ES_VERB = (
    "(ayudar|ayudarte|ayudarle|ayudarlo|ayudarla|asistir|asistirte|asistirle|proporcionar|proporcionarte|"
    "proporcionarle|ofrecer|ofrecerte|ofrecerle|responder|responderte|cumplir|generar|crear|escribir|redactar|"
    "dar|darte|darle|brindar|brindarte|brindarle|compartir|divulgar|revelar|procesar|atender|hacer eso|"
    "participar|realizar|facilitar|facilitarte|facilitarle)"
)

_SPANISH = Language(
    name="Spanish",
    greetings=(
        "hola", "buenos días", "buenas tardes", "buenas noches", "estimado", "estimada", "querido", "querida",
        "gracias", "muchas gracias",
    ),
    leads=("pero", "y", "sin embargo", "lamentablemente", "desafortunadamente", "desgraciadamente", "que"),
    refusals=(
        f"(yo |)no (te |le |lo |la |les |se |)(puedo|podré|podría|debo) … {_ES_VERB}",
        "no me es posible",
        "no estoy (en condiciones|autorizado|autorizada|capacitado|capacitada|facultado|facultada|en posición)",
        "no tengo (la capacidad|permiso|permitido|autorización)",
        "(debo|tengo que|me veo obligado a|prefiero) … (rechazar|declinar|negarme)",
        "como (un |una |)(modelo de lenguaje|ia|inteligencia artificial|asistente) … no (puedo|tengo|debo|soy)",
        "(su|tu|esta) solicitud no (puede|se puede) (ser |)(cumplir|procesar|cumplida|procesada|atendida)",
    ),
    apologies=(
        "(lo |)(siento|lamento) (mucho|muchísimo|sinceramente|profundamente|que|la|el|los|las|lo)",
        "lo (siento|lamento|sentimos|lamentamos)",
        (
            "(le |te |les |)(pido|pedimos|ofrezco|ofrecemos) (una |mil |mis |nuestras |sinceras |)"
            "(disculpas|disculpa|perdón)"
        ),
        "(disculpa|disculpe|disculpen|perdón|perdona|perdone|mis disculpas|nuestras disculpas)",
    ),
)  # fmt: skip

_PT_VERB = (
    "(ajudar|ajudá-lo|ajudá-la|ajudar-te|te ajudar|auxiliar|fornecer|oferecer|responder|cumprir|atender|gerar|"
    "criar|escrever|redigir|dar|compartilhar|partilhar|divulgar|revelar|processar|fazer isso|participar|realizar|"
    "prestar|discutir)"
)

_PORTUGUESE = Language(
    name="Portuguese",
    greetings=(
        "olá", "oi", "bom dia", "boa tarde", "boa noite", "prezado", "prezada", "caro", "cara", "obrigado",
        "obrigada", "muito obrigado",
    ),
    leads=("mas", "e", "porém", "no entanto", "infelizmente", "que", "lamentavelmente"),
    refusals=(
        f"(eu |)não (posso|poderei|poderia|consigo|devo|vou) … {_PT_VERB}",
        "não (me é|é-me) possível",
        "não (sou capaz|estou autorizado|estou autorizada|estou apto|estou apta|tenho permissão|tenho autorização)",
        "(devo|tenho que|preciso|tenho de) … (recusar|declinar)",
        "como (um |uma |)(modelo de linguagem|ia|inteligência artificial|assistente) … não (posso|tenho|devo|sou)",
        "(sua|seu|esta|este|o seu|a sua) (solicitação|pedido) não pode ser (atendida|atendido|processado|processada)",
    ),
    apologies=(
        "(sinto|sentimos|lamento|lamentamos) (muito|imenso|profundamente|sinceramente|que|o|a|os|as|pelo|pela)",
        "(me |)(desculpe|desculpa|desculpem|perdão)",
        "(peço|pedimos|as minhas|minhas|nossas|as nossas) (sinceras |imensas |)(desculpas|desculpa|perdão)",
    ),
)  # fmt: skip

_IT_VERB = (
    "(aiutare|aiutarti|aiutarla|aiutarvi|assistere|assisterti|assisterla|fornire|fornirti|fornirle|offrire|"
    "offrirti|offrirle|rispondere|risponderti|soddisfare|generare|creare|scrivere|redigere|dare|darti|darle|"
    "condividere|divulgare|rivelare|elaborare|farlo|fare questo|partecipare|eseguire|discutere)"
)

_ITALIAN = Language(
    name="Italian",
    greetings=(
        "ciao", "buongiorno", "buon giorno", "buonasera", "salve", "gentile", "caro", "cara", "egregio", "grazie",
    ),
    leads=("ma", "e", "però", "tuttavia", "purtroppo", "sfortunatamente", "che"),
    refusals=(
        f"(io |)non (posso|potrò|potrei|devo|riesco a|ti posso|la posso|vi posso|le posso) … {_IT_VERB}",
        "non (sono|siamo) … (in grado|autorizzato|autorizzata|abilitato|abilitata) (di|a)",
        f"(non mi è|mi è|mi risulta) (possibile|impossibile) … {_IT_VERB}",
        "(devo|sono costretto a|mi vedo costretto a|preferisco) … (rifiutare|declinare)",
        (
            "(in quanto|come|essendo) (un |una |)(modello linguistico|ia|intelligenza artificiale|assistente) … non "
            "(posso|ho|devo|sono)"
        ),
        "(la sua|la tua|questa) richiesta non può essere (soddisfatta|elaborata|accolta)",
    ),
    apologies=(
        "(mi|ci) (dispiace|spiace)",
        "(mi scuso|ci scusiamo)",
        "(le |ti |vi |)(chiedo|chiediamo|porgo|porgiamo) (le mie |le nostre |)(scusa|scuse|perdono)",
        "(scusa|scusi|scusate|le mie scuse|le nostre scuse|mi perdoni|perdonami)",
    ),
)  # fmt: skip

LANGUAGES = (_ENGLISH, _FRENCH, _GERMAN, _ITALIAN, _PORTUGUESE, _SPANISH)
"""All languages, sorted by name."""
