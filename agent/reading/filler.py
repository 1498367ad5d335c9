"""Words that say nothing of what is wanted."""

from __future__ import annotations

_FILLER_WORDS = """
next suitable directed starring theme themes based built around carried told times teenager teenagers
a an the i i'm im i'd i've you your me my we our us it its it's that this these those them they he
she and or but so if as of to in on at by for from with without about into than then too very really
quite just some any all more most less least few lot lots bit kind kinds type types sort like liked
love loved enjoy enjoyed want wanted wants would could can should do does did don't be is are was
were been am have has had give show find recommend suggest recommendation recommendations suggestion
suggestions look looking see seen saw watch watched watching film films movie movies flick flicks
picture story stories something anything nothing one ones thing things stuff please thanks thank hi
hello hey mood feel feeling feels tonight today now good great nice best better new newer newest old
older recent classic classics latest favourite favorite favorites similar different other another
else ever maybe perhaps also only not no never what which who where when how why there here up out
off over after before between since until year years decade s t ll re ve m d need get got let go
think know little big pretty bored fancy craving ok okay yes set features involving minutes mins
hours hour long short shorter under film's movie's people person man woman weekend evening night lately
rainy lazy sunday monday tuesday wednesday thursday friday saturday afternoon morning weeknight
usually normally generally always often sometimes fan fans huge interested will down ending endings vibe vibes
storyline plot tone style yo sup dude again modern preferred preferably half max tops above below that's
mixed tastes taste ideally rating ratings rated
were's unos una un de los las el la que para con quiero busco ver película peliculas películas je
une des les du le veux cherche pour avec dans ich einen eine den der die das möchte suche early mid
late kids family french spanish german italian japanese english popular famous entertaining
interesting enjoyable decent solid cool awesome amazing perfect fun whole entire instead plz pls
smth sumthing gimme w wife husband girlfriend boyfriend partner friend friends mum mom dad parents
date whats make makes twenties thirties forties fifties sixties seventies eighties nineties
grown-ups grownups adults
"""
FILLER = frozenset(_FILLER_WORDS.split())
"""Words that say nothing of what is wanted, lower case."""
