"""Towns of France by département, for the national demo: where they are, how many people live there. Places are real, nobody in them is."""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate
from typing import Final, NamedTuple

from creneau.demo.places import City

ZONES: Final = {
    "971": "America/Guadeloupe",
    "972": "America/Martinique",
    "973": "America/Cayenne",
    "974": "Indian/Reunion",
    "976": "Indian/Mayotte",
}
"""Where it is not the time of Paris."""

DISTRICTS: Final = {"Paris": 20, "Lyon": 9, "Marseille": 16}
"""Towns whose postal codes follow each other, one a district."""


class Town(NamedTuple):
    """A town, its département, the time zone of its agendas ("" for that of the server), thousands of inhabitants."""

    city: City
    departement: str
    zone: str
    thousands: int


_TABLE: Final = """
01 01000 46.2056 5.2256 41 Bourg-en-Bresse | 02 02000 49.5641 3.6199 24 Laon | 02 02100 49.8486 3.2864 53 Saint-Quentin
03 03000 46.5660 3.3330 19 Moulins | 03 03100 46.3403 2.6033 34 Montluçon | 03 03200 46.1278 3.4261 25 Vichy
04 04000 44.0925 6.2356 16 Digne-les-Bains | 04 04100 43.8283 5.7869 22 Manosque | 05 05000 44.5594 6.0786 41 Gap
06 06000 43.7102 7.2620 343 Nice | 06 06600 43.5804 7.1251 72 Antibes | 06 06400 43.5528 7.0174 74 Cannes
07 07000 44.7353 4.5992 8 Privas | 07 07200 44.6200 4.3900 12 Aubenas | 08 08000 49.7623 4.7206 46 Charleville-Mézières
09 09000 42.9653 1.6078 9 Foix | 09 09100 43.1164 1.6108 16 Pamiers | 10 10000 48.2973 4.0744 62 Troyes
11 11000 43.2130 2.3491 46 Carcassonne | 11 11100 43.1843 3.0033 55 Narbonne | 12 12000 44.3516 2.5728 24 Rodez
12 12100 44.0983 3.0783 22 Millau | 13 13001 43.2965 5.3698 870 Marseille | 13 13100 43.5297 5.4474 147 Aix-en-Provence
13 13200 43.6766 4.6278 51 Arles | 14 14000 49.1829 -0.3707 106 Caen | 14 14100 49.1466 0.2258 20 Lisieux
15 15000 44.9264 2.4406 26 Aurillac | 16 16000 45.6484 0.1562 41 Angoulême | 17 17000 46.1603 -1.1511 77 La Rochelle
17 17100 45.7448 -0.6332 25 Saintes | 18 18000 47.0810 2.3988 64 Bourges | 19 19000 45.2672 1.7700 14 Tulle
19 19100 45.1590 1.5339 47 Brive-la-Gaillarde | 2A 20000 41.9192 8.7386 71 Ajaccio | 2B 20200 42.6973 9.4509 48 Bastia
21 21000 47.3220 5.0415 159 Dijon | 21 21200 47.0240 4.8390 20 Beaune | 22 22000 48.5142 -2.7658 44 Saint-Brieuc
23 23000 46.1706 1.8683 13 Guéret | 24 24000 45.1846 0.7214 29 Périgueux | 24 24100 44.8530 0.4831 26 Bergerac
25 25000 47.2378 6.0241 118 Besançon | 25 25200 47.5099 6.7983 25 Montbéliard | 26 26000 44.9334 4.8924 64 Valence
26 26200 44.5581 4.7509 39 Montélimar | 27 27000 49.0270 1.1508 47 Évreux | 28 28000 48.4439 1.4890 38 Chartres
28 28100 48.7362 1.3656 31 Dreux | 29 29000 47.9960 -4.1025 63 Quimper | 29 29200 48.3904 -4.4861 139 Brest
30 30000 43.8367 4.3601 148 Nîmes | 30 30100 44.1250 4.0817 41 Alès | 31 31000 43.6047 1.4442 498 Toulouse
31 31600 43.4600 1.3270 25 Muret | 32 32000 43.6465 0.5867 22 Auch | 33 33000 44.8378 -0.5792 260 Bordeaux
33 33120 44.6522 -1.1678 11 Arcachon | 33 33500 44.9150 -0.2430 24 Libourne | 34 34000 43.6108 3.8767 299 Montpellier
34 34500 43.3442 3.2158 78 Béziers | 34 34200 43.4028 3.6928 44 Sète | 35 35000 48.1173 -1.6778 222 Rennes
35 35400 48.6493 -2.0257 46 Saint-Malo | 36 36000 46.8103 1.6911 43 Châteauroux | 37 37000 47.3941 0.6848 137 Tours
38 38000 45.1885 5.7245 158 Grenoble | 38 38200 45.5255 4.8742 29 Vienne | 39 39000 46.6744 5.5539 17 Lons-le-Saunier
39 39100 47.0931 5.4906 23 Dole | 40 40000 43.8902 -0.4997 30 Mont-de-Marsan | 40 40100 43.7102 -1.0538 21 Dax
41 41000 47.5861 1.3359 46 Blois | 42 42000 45.4397 4.3872 173 Saint-Étienne | 42 42300 46.0366 4.0683 34 Roanne
43 43000 45.0434 3.8855 19 Le Puy-en-Velay | 44 44000 47.2184 -1.5536 320 Nantes | 44 44600 47.2735 -2.2137 71 Saint-Nazaire
45 45000 47.9030 1.9093 116 Orléans | 45 45200 47.9970 2.7330 15 Montargis | 46 46000 44.4475 1.4410 20 Cahors
47 47000 44.2033 0.6163 33 Agen | 48 48000 44.5180 3.5010 12 Mende | 49 49000 47.4784 -0.5632 155 Angers
49 49300 47.0596 -0.8793 54 Cholet | 50 50000 49.1163 -1.0903 19 Saint-Lô | 50 50100 49.6337 -1.6221 78 Cherbourg-en-Cotentin
51 51000 48.9567 4.3631 44 Châlons-en-Champagne | 51 51100 49.2583 4.0317 181 Reims | 52 52000 48.1115 5.1392 21 Chaumont
53 53000 48.0706 -0.7734 49 Laval | 54 54000 48.6921 6.1844 104 Nancy | 55 55000 48.7720 5.1600 14 Bar-le-Duc
55 55100 49.1599 5.3844 17 Verdun | 56 56000 47.6582 -2.7608 54 Vannes | 56 56100 47.7483 -3.3702 57 Lorient
57 57000 49.1193 6.1757 119 Metz | 57 57100 49.3579 6.1684 41 Thionville | 58 58000 46.9896 3.1590 33 Nevers
59 59000 50.6292 3.0573 236 Lille | 59 59100 50.6942 3.1746 98 Roubaix | 59 59140 51.0344 2.3768 86 Dunkerque
59 59300 50.3570 3.5234 43 Valenciennes | 59 59500 50.3714 3.0800 40 Douai | 60 60000 49.4295 2.0807 57 Beauvais
60 60200 49.4179 2.8261 40 Compiègne | 61 61000 48.4329 0.0913 26 Alençon | 62 62000 50.2910 2.7775 42 Arras
62 62100 50.9513 1.8587 67 Calais | 62 62200 50.7264 1.6147 40 Boulogne-sur-Mer | 63 63000 45.7772 3.0870 147 Clermont-Ferrand
64 64000 43.2951 -0.3708 76 Pau | 64 64100 43.4929 -1.4748 52 Bayonne | 65 65000 43.2329 0.0781 43 Tarbes
66 66000 42.6887 2.8948 119 Perpignan | 67 67000 48.5734 7.7521 290 Strasbourg | 67 67500 48.8156 7.7905 35 Haguenau
68 68000 48.0794 7.3585 67 Colmar | 68 68100 47.7508 7.3359 106 Mulhouse | 69 69001 45.7640 4.8357 522 Lyon
69 69100 45.7719 4.8902 156 Villeurbanne | 69 69400 45.9890 4.7180 37 Villefranche-sur-Saône | 70 70000 47.6200 6.1560 15 Vesoul
71 71000 46.3069 4.8287 34 Mâcon | 71 71100 46.7806 4.8537 45 Chalon-sur-Saône | 72 72000 48.0061 0.1996 145 Le Mans
73 73000 45.5646 5.9178 59 Chambéry | 74 74000 45.8992 6.1294 131 Annecy | 74 74200 46.3705 6.4790 36 Thonon-les-Bains
75 75001 48.8566 2.3522 2133 Paris | 76 76000 49.4432 1.0999 114 Rouen | 76 76600 49.4944 0.1079 166 Le Havre
76 76200 49.9230 1.0775 28 Dieppe | 77 77000 48.5421 2.6554 43 Melun | 77 77100 48.9602 2.8785 56 Meaux
78 78000 48.8014 2.1301 84 Versailles | 78 78200 48.9908 1.7172 44 Mantes-la-Jolie | 79 79000 46.3237 -0.4648 59 Niort
80 80000 49.8942 2.2957 134 Amiens | 81 81000 43.9298 2.1480 49 Albi | 81 81100 43.6062 2.2406 42 Castres
82 82000 44.0181 1.3558 61 Montauban | 83 83000 43.1242 5.9280 180 Toulon | 83 83600 43.4332 6.7370 57 Fréjus
83 83300 43.5400 6.4640 40 Draguignan | 84 84000 43.9493 4.8055 91 Avignon | 84 84100 44.1380 4.8090 28 Orange
85 85000 46.6705 -1.4264 55 La Roche-sur-Yon | 85 85100 46.4969 -1.7833 46 Les Sables-d'Olonne | 86 86000 46.5802 0.3404 90 Poitiers
87 87000 45.8336 1.2611 130 Limoges | 88 88000 48.1740 6.4510 32 Épinal | 89 89000 47.7982 3.5670 35 Auxerre
89 89100 48.1970 3.2830 26 Sens | 90 90000 47.6397 6.8638 46 Belfort | 91 91000 48.6244 2.4294 67 Évry-Courcouronnes
91 91300 48.7309 2.2713 50 Massy | 92 92000 48.8924 2.2071 96 Nanterre | 92 92100 48.8397 2.2399 120 Boulogne-Billancourt
93 93000 48.9086 2.4397 54 Bobigny | 93 93200 48.9362 2.3574 113 Saint-Denis | 93 93100 48.8638 2.4483 111 Montreuil
94 94000 48.7904 2.4556 93 Créteil | 94 94400 48.7875 2.3928 95 Vitry-sur-Seine | 95 95000 49.0364 2.0763 67 Cergy
95 95100 48.9472 2.2467 111 Argenteuil | 971 97110 16.2411 -61.5331 15 Pointe-à-Pitre | 971 97139 16.2708 -61.5021 53 Les Abymes
972 97200 14.6161 -61.0588 76 Fort-de-France | 973 97300 4.9224 -52.3135 63 Cayenne | 974 97400 -20.8789 55.4481 154 Saint-Denis
974 97410 -21.3393 55.4781 85 Saint-Pierre | 976 97600 -12.7806 45.2279 71 Mamoudzou
"""


def _town(line: str) -> Town:
    departement, code, latitude, longitude, thousands, name = line.strip().split(" ", 5)
    city = City(name, code, Decimal(latitude), Decimal(longitude))
    return Town(city, departement, ZONES.get(departement, ""), int(thousands))


TOWNS: Final = tuple(_town(line) for line in _TABLE.replace("\n", "|").split("|") if line.strip())

SHARES: Final = tuple(accumulate(town.thousands + 40 for town in TOWNS))
"""Cumulative weights for `random.choices`: a small town also serves the country around it."""

MAINLAND: Final = tuple(sorted({town.departement for town in TOWNS if not town.zone}))
"""Départements where people are born."""
