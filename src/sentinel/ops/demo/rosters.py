"""The workers at the customers' sites: name, address before the "@", department, and their language where
it is not the site's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Person:
    """One line of a roster."""

    name: str
    mailbox: str
    department: str
    language: str = ""


_ROSTERS = {
    "Hamburg": """
        Katrin Ahlers | k.ahlers | Dispatch
        Jörg Brandt | j.brandt | Warehouse
        Sibel Demir | s.demir | Accounting
        Malte Eggers | m.eggers | Dispatch
        Friederike Fuchs | f.fuchs | Management office
        Hannes Gerdes | h.gerdes | Customs
        Nele Hinrichs | n.hinrichs | Customs
        Ulrike Jansen | u.jansen | Human resources
        Piotr Kowalski | p.kowalski | Warehouse
        Svenja Lüders | s.lueders | Accounting
        Mehmet Öztürk | m.oeztuerk | Fleet
        Bettina Rathje | b.rathje | Purchasing
        Tobias Stahmer | t.stahmer | IT
        Wiebke Timm | w.timm | Reception""",
    "Kyiv": """
        Olena Kovalenko | o.kovalenko | Dispatch
        Andriy Melnyk | a.melnyk | Warehouse
        Iryna Bondar | i.bondar | Accounting
        Taras Shevchuk | t.shevchuk | Fleet
        Oksana Tkachenko | o.tkachenko | Customs
        Dmytro Kravets | d.kravets | IT
        Yulia Marchenko | y.marchenko | Human resources
        Bohdan Lysenko | b.lysenko | Warehouse
        Nadiya Polishchuk | n.polishchuk | Reception
        Serhiy Hrytsenko | s.hrytsenko | Dispatch
        Larysa Rudenko | l.rudenko | Purchasing""",
    "Lisbon": """
        João Reis | j.reis | Dispatch
        Mariana Sousa | m.sousa | Accounting
        Tiago Ferreira | t.ferreira | Warehouse
        Beatriz Nogueira | b.nogueira | Customs
        Rui Carvalho | r.carvalho | Fleet
        Inês Antunes | i.antunes | Human resources
        Duarte Pinto | d.pinto | IT
        Catarina Lopes | c.lopes | Reception
        Nuno Barbosa | n.barbosa | Purchasing""",
    "Valencia": """
        Lucía Ferrer | l.ferrer | Dispatch
        Vicent Soler | v.soler | Warehouse
        Amparo Climent | a.climent | Accounting
        Javier Molina | j.molina | Customs
        Rosa Navarro | r.navarro | Reception
        Pau Garrigues | p.garrigues | Fleet
        Elena Castillo | e.castillo | Purchasing
        Sergio Ibáñez | s.ibanez | IT
        Marta Sanchis | m.sanchis | Human resources""",
    "Osaka": """
        佐藤 結衣 | y.sato | 設計部
        田中 翔太 | s.tanaka | 製造部
        山本 美咲 | m.yamamoto | 総務部
        中村 大輔 | d.nakamura | 品質保証部
        小林 葵 | a.kobayashi | 経理部
        加藤 健 | k.kato | 製造部
        吉田 真由美 | m.yoshida | 購買部
        松本 拓也 | t.matsumoto | 設計部
        井上 千尋 | c.inoue | 人事部
        木村 浩二 | k.kimura | 情報システム部
        清水 菜々子 | n.shimizu | 営業部""",
    "Nagoya": """
        林 俊介 | s.hayashi | 製造部
        斎藤 由紀 | y.saito | 総務部
        橋本 亮 | r.hashimoto | 品質保証部
        石川 恵 | m.ishikawa | 経理部
        前田 和也 | k.maeda | 設計部
        藤田 彩 | a.fujita | 購買部""",
    "Chicago": """
        Angela Brooks | a.brooks | Patient admissions
        Marcus Hayes | m.hayes | Radiology
        Priya Raman | p.raman | Laboratory
        Kevin O’Donnell | k.odonnell | Facilities
        Denise Carter | d.carter | Billing
        Luis Ortega | l.ortega | Pharmacy | es
        Hannah Weiss | h.weiss | Human resources
        Terrence Boyd | t.boyd | Emergency department
        Mei-Ling Chu | m.chu | Medical records
        Rosario Delgado | r.delgado | Patient admissions | es
        Brian Kowalczyk | b.kowalczyk | IT
        Naomi Sinclair | n.sinclair | Nursing, 4th floor
        Joseph Adeyemi | j.adeyemi | Billing""",
    "Québec": """
        Sylvie Tremblay | s.tremblay | Accueil
        Mathieu Bouchard | m.bouchard | Radiologie
        Nathalie Côté | n.cote | Archives
        Étienne Lavoie | e.lavoie | Pharmacie
        Josée Pelletier | j.pelletier | Facturation
        Amadou Diallo | a.diallo | Soins infirmiers
        Marc-André Gagné | ma.gagne | Informatique
        Isabelle Fortin | i.fortin | Ressources humaines""",
}


def _person(line: str) -> Person:
    name, mailbox, department, *language = (cell.strip() for cell in line.split("|"))
    return Person(name=name, mailbox=mailbox, department=department, language="".join(language))


#: The workers of each place.
ROSTERS: dict[str, tuple[Person, ...]] = {
    place: tuple(_person(line) for line in lines.strip().splitlines()) for place, lines in _ROSTERS.items()
}
