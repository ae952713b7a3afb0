"""Endpoints of institutions, their departments and terminals, uses of cards, statistics."""

from __future__ import annotations

from ehc.access.caller import Scope
from ehc.web.endpoint import BODY, Endpoint
from ehc.web.handlers import institutions as handlers
from ehc.web.handlers import records
from ehc.web.wire import institutions as wire

BATCH_LIMIT = 1 << 20
FOUND = (404, 422, 500, 503)
"""Problems of an endpoint that looks one up."""

_INSTITUTIONS = "/v1/institutions"
_ONE = "/v1/institutions/{institution}"

TABLE = (
    Endpoint(
        method="POST",
        path="/v1/records",
        handler=records.add_record,
        scope=Scope.RECORDS_WRITE,
        summary="A use of a card (用卡数据); the same one again is no error",
        answers={201: wire.UseRuling, 200: wire.UseRuling},
        body=wire.UseUpload,
        problems=(*BODY, 404, 409),
    ),
    Endpoint(
        method="POST",
        path="/v1/records/batch",
        handler=records.add_records,
        scope=Scope.RECORDS_WRITE,
        summary="Up to 500 uses; a ruling for every row, and a bad row is one refused row",
        answers={200: wire.UseRulings},
        body=wire.UseBatch,
        body_limit=BATCH_LIMIT,
        problems=(*BODY, 404),
    ),
    Endpoint(
        method="GET",
        path="/v1/statistics",
        handler=records.count_uses,
        scope=Scope.STATISTICS_READ,
        summary="How many uses, by region, institution, scene, outcome, day and hour",
        answers={200: wire.UseStatistics},
        query=wire.StatisticsQuery,
        problems=(422, 500, 503),
    ),
    Endpoint(
        method="POST",
        path=_INSTITUTIONS,
        handler=handlers.add_institution,
        scope=Scope.INSTITUTIONS_WRITE,
        summary="Register an institution",
        answers={201: wire.Institution},
        body=wire.NewInstitution,
        problems=(*BODY, 409),
    ),
    Endpoint(
        method="GET",
        path=_INSTITUTIONS,
        handler=handlers.list_institutions,
        scope=Scope.INSTITUTIONS_READ,
        summary="Institutions by code, of a region or all",
        answers={200: wire.Institutions},
        query=wire.InstitutionsPage,
        problems=FOUND,
    ),
    Endpoint(
        method="GET",
        path=_ONE,
        handler=handlers.show_institution,
        scope=Scope.INSTITUTIONS_READ,
        summary="An institution",
        answers={200: wire.Institution},
        problems=FOUND,
    ),
    Endpoint(
        method="PATCH",
        path=_ONE,
        handler=handlers.change_institution,
        scope=Scope.INSTITUTIONS_WRITE,
        summary="Modify, disable or enable an institution",
        answers={200: wire.Institution},
        body=wire.InstitutionChange,
        problems=(*BODY, 404),
    ),
    Endpoint(
        method="POST",
        path=f"{_ONE}/departments",
        handler=handlers.add_department,
        scope=Scope.INSTITUTIONS_WRITE,
        summary="Register a department",
        answers={201: wire.Department},
        body=wire.NewDepartment,
        problems=(*BODY, 404, 409),
    ),
    Endpoint(
        method="GET",
        path=f"{_ONE}/departments",
        handler=handlers.list_departments,
        scope=Scope.INSTITUTIONS_READ,
        summary="An institution's departments, by code",
        answers={200: wire.Departments},
        query=wire.Page,
        problems=FOUND,
    ),
    Endpoint(
        method="PATCH",
        path=f"{_ONE}/departments/{{department}}",
        handler=handlers.change_department,
        scope=Scope.INSTITUTIONS_WRITE,
        summary="Modify, disable or enable a department",
        answers={200: wire.Department},
        body=wire.DepartmentChange,
        problems=(*BODY, 404),
    ),
    Endpoint(
        method="POST",
        path=f"{_ONE}/terminals",
        handler=handlers.add_terminal,
        scope=Scope.INSTITUTIONS_WRITE,
        summary="Register a terminal",
        answers={201: wire.Terminal},
        body=wire.NewTerminal,
        problems=(*BODY, 404, 409),
    ),
    Endpoint(
        method="GET",
        path=f"{_ONE}/terminals",
        handler=handlers.list_terminals,
        scope=Scope.INSTITUTIONS_READ,
        summary="An institution's terminals, by code: when each was last seen, how wrong its clock is",
        answers={200: wire.Terminals},
        query=wire.Page,
        problems=FOUND,
    ),
    Endpoint(
        method="PATCH",
        path=f"{_ONE}/terminals/{{terminal}}",
        handler=handlers.change_terminal,
        scope=Scope.INSTITUTIONS_WRITE,
        summary="Modify, disable or enable a terminal",
        answers={200: wire.Terminal},
        body=wire.TerminalChange,
        problems=(*BODY, 404),
    ),
)
