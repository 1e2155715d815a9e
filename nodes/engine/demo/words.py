"""How people say what is in a picture: phrases for every value of every fact.

In: nothing. Out: tables, one line a value, phrases parted by bars. A value without a line is never told.
"""

from __future__ import annotations

Words = dict[str, tuple[str, ...]]


def _read(text: str) -> Words:
    """Lines like "rain: in the rain | rainy"; a line that begins with a bar goes on with the one before."""
    joined = " ".join(text.split()).split(";")
    pairs = [line.partition(":") for line in joined if line.strip()]
    return {name.strip(): tuple(phrase.strip() for phrase in phrases.split("|")) for name, _, phrases in pairs}


PLACE_WORDS = _read("""
    beach: on a beach | at the beach | by the sea | at the seaside | on the shore | by the ocean | the ocean | a sandy beach with
      waves | beach | sea | on the sand by the water | coast | an island;
    mountains: in the mountains | mountains | snowy mountain peaks | before high mountains | mountain landscape | in the alps | on a
      mountain | hills and peaks | a cliff in the mountains;
    forest: in a forest | in the woods | forest | among trees | a deep forest | pine trees | woodland | in a pine forest | jungle |
      between tall trees;
    city: in a city | in the city | city street | city skyline | downtown | on a street between buildings | skyscrapers | urban
      street | in the town | on a rooftop in the city | big city;
    desert: in a desert | in the desert | sand dunes | desert with a cactus | desert landscape | among dunes and cacti | dry desert
      | the sahara;
    meadow: in a meadow | in a field of flowers | meadow | green hills with flowers | on the grass | in a garden | a green field |
      in a park | grassy hills | a flower field | in the countryside;
    road: on a road | on a long road | on the highway | an open road | road to the horizon | a lonely road | in the middle of the
      road | on a street going to the horizon | highway;
    room: in a room | in the living room | at home | indoors by a window | in a bedroom | room with a lamp | inside a house |
      interior | in her room | in his room | by the window | an apartment;
    stage: on stage | on a stage with spotlights | at a concert | in a club | concert stage | under stage lights | in front of a
      crowd | on the dance floor | at a party in a club | spotlights;
    space: in space | in outer space | on the moon | among the stars and planets | space with a planet | galaxy | on another planet
      | in the cosmos | a planet in the universe;
""")
TIME_WORDS = _read("""
    day: by day | during the day | daylight | at noon | in the daytime | in the afternoon | day | bright day;
    sunset: at sunset | sunset | in the evening | at dusk | golden hour | evening light | as the sun goes down | setting sun |
      twilight | orange sky;
    night: at night | night | by night | under the moon | in the moonlight | starry night | midnight | at night under the stars |
      nighttime | night sky | late at night | dark night | under a starry sky | starry sky | stars;
    dawn: at dawn | dawn | at sunrise | sunrise | early morning | in the morning light | morning;
""")
WEATHER_WORDS = _read("""
    clear: clear sky | sunny | good weather | sunshine | in the sun | clear weather | cloudless;
    clouds: cloudy | clouds | cloudy sky | with clouds | overcast | under clouds;
    rain: in the rain | rain | rainy | raining | it is raining | rainfall | rain falling | wet weather | drizzle;
    snow: in the snow | snow | snowy | snowing | snowfall | winter | snowflakes falling | covered in snow | white winter;
    fog: in the fog | fog | foggy | misty | mist | haze | in thick fog | hazy;
    storm: in a storm | storm | stormy | thunderstorm | lightning | thunder and lightning | a storm with lightning | dark storm
      clouds;
""")
PALETTE_WORDS = _read("""
    natural: natural colours | natural colors | realistic colours | true colours;
    warm: warm colours | warm colors | warm palette | golden tones | warm orange light | warm tones | sepia | warm light;
    cold: cold colours | cold colors | cold palette | blue tones | cool tones | icy blue light | cold light | cool colours;
    pastel: pastel colours | pastel colors | pastel | soft pastel palette | pale colours | soft pale tones | dreamy pastel;
    neon: neon colours | neon | neon lights | neon palette | pink and purple neon light | synthwave | cyberpunk | neon glow |
      retrowave colours | electric colours;
    dark: dark | dark colours | low light | dim light | dark and moody | gloomy dark palette | underexposed | in the shadows | noir
      darkness;
    black and white: black and white | monochrome | in black and white | greyscale | grayscale | black and white film | no colour;
""")
MOOD_WORDS = _read("""
    joyful: joyful | happy | cheerful | happy mood | full of joy | uplifting | euphoric | bright mood;
    melancholy: melancholy | sad mood | melancholic | lonely | heartbroken | sorrowful | wistful | longing | gloomy;
    calm: calm | peaceful | serene | quiet | tender | dreamy | relaxed | gentle | calm, soft light;
    energetic: energetic | wild | full of energy | intense | powerful | party mood | fierce | excited | dynamic | vivid colours |
      energetic, vivid colours | vivid;
""")
EXTRA_WORDS = _read("""
    birds: birds in the sky | flying birds | birds | a flock of birds | seagulls;
    balloons: balloons | colourful balloons | floating balloons | with balloons | colorful balloons;
    confetti: confetti | falling confetti | colourful confetti | petals in the air | confetti rain;
    sparks: glowing sparks | fireflies | sparkles | glowing lights in the air | floating lights | sparks;
""")
FRAMING_WORDS = _read("""
    close: close-up | close up | close-up portrait | portrait | face close-up | extreme close-up | headshot | close shot | close-up
      shot | close-up of the face | detail of the face;
    half: medium shot | half body | waist up | medium close-up | upper body | half-length portrait | half shot | from the waist up;
    full: full body | full shot | full-body shot | head to toe | whole figure | full figure | medium wide shot | full length;
    far: wide shot | far away | in the distance | long shot | small figure in the distance | extreme wide shot | tiny figure | very
      wide shot | seen from far away;
""")
PERSON_WORDS = _read("""
    woman: woman | young woman | girl | lady | female singer | singer girl | she | a woman's portrait | actress;
    man: man | young man | boy | guy | male singer | he | gentleman | dude | actor;
    any: person | singer | someone | figure | dancer | musician | somebody | performer | character | human;
""")
HAIR_WORDS = _read("""
    black: black | dark | jet black;
    brown: brown | brunette | chestnut;
    blonde: blonde | blond | golden | fair;
    red: red | ginger | auburn | orange;
    white: white | grey | silver | gray;
    blue: blue | dyed blue;
    pink: pink | dyed pink;
""")
CLOTHES_WORDS = _read("""
    red: red | scarlet | crimson;
    blue: blue | navy blue | denim;
    green: green | emerald;
    yellow: yellow | golden yellow;
    white: white;
    black: black | dark;
    pink: pink | rose;
    purple: purple | violet | lilac;
""")
GARMENTS = _read("""
    woman: dress | shirt | clothes | sweater | coat | blouse | outfit | jacket | gown | top;
    man: shirt | clothes | jacket | sweater | coat | suit | t-shirt | outfit | hoodie | top;
""")
SKIN_WORDS = _read("""
    light: light skin | pale skin | fair skin;
    medium: tan skin | olive skin | brown skin | tanned;
    dark: dark skin | black skin | dark-skinned;
""")
EXPRESSION_WORDS = _read("""
    neutral: looking at the camera | serious | neutral face | calm face | with a serious look | staring;
    smile: smiling | with a smile | laughing | happy face | with a big smile | grinning;
    sad: sad | looking sad | with a sad face | unhappy | crying | with a sad look | frowning;
    eyes closed: eyes closed | with closed eyes | with eyes closed | sleeping | dreaming | with her eyes closed | with his eyes
      closed;
    singing: singing | singing loudly | with open mouth | screaming | shouting | mouth open | sings | singing a song;
""")
POSE_WORDS = _read("""
    standing: standing | standing still | stands | posing | waiting;
    dancing: dancing | dances | dancing wildly | in a dance | moving to the music;
    arms up: arms up | with arms raised | hands in the air | raising both arms | jumping | celebrating | with raised arms;
    walking: walking | walks | walking along | running | strolling;
""")
EMPTY_WORDS: tuple[str, ...] = _read("""
    all: no people | empty | nobody | landscape | establishing shot | wide shot | scenery | deserted | background | view | wide
      landscape | empty scene | no one there;
""")["all"]
CAMERA_WORDS: tuple[str, ...] = _read("""
    all: close-up | medium shot | wide shot | close-up | medium shot | close shot | full shot;
""")["all"]
FILLERS: tuple[str, ...] = _read("""
    all: illustration | cinematic | music video | film still | beautiful | flat illustration | animated | storybook | detailed |
      music video still | artwork | high quality | soft light | movie scene | 4k | atmospheric | poetic | drawing | vector art |
      dramatic | song | love | anime | painting | photo;
""")["all"]
