public import Patcher

/// How sentences of a plan or an inspection name what their reader can do: a command by its flags, another program by its
/// own menus. Without one, plain words.
public struct RemedyWording: Sendable {
    /// Saying which of the given disks the device name stands for; nil: one of several names.
    public var statedDisk: @Sendable (_ name: String?) -> String
    /// Asking for a repair that is advice unless asked for.
    public var wantedRepair: @Sendable (_ repair: Repair) -> String
    /// Choosing another target.
    public var otherTarget: @Sendable (_ target: Target) -> String
    /// Making the distribution's rescue or fallback entry the default.
    public var fallbackEntry: String
    /// Putting the disk behind another controller.
    public var otherController: @Sendable (_ controller: Controller) -> String
    /// Copying a disk without a change to the guest.
    public var conversion: String
    /// Saying which address a network card, by its name or old address, has on the target.
    public var statedAddress: @Sendable (_ card: String) -> String

    /// Makes a wording.
    public init(
        statedDisk: @escaping @Sendable (_ name: String?) -> String,
        wantedRepair: @escaping @Sendable (_ repair: Repair) -> String,
        otherTarget: @escaping @Sendable (_ target: Target) -> String, fallbackEntry: String,
        otherController: @escaping @Sendable (_ controller: Controller) -> String, conversion: String,
        statedAddress: @escaping @Sendable (_ card: String) -> String
    ) {
        self.statedDisk = statedDisk
        self.wantedRepair = wantedRepair
        self.otherTarget = otherTarget
        self.fallbackEntry = fallbackEntry
        self.otherController = otherController
        self.conversion = conversion
        self.statedAddress = statedAddress
    }

    /// Plain words.
    public static let plain = RemedyWording(
        statedDisk: { PlanRemedy.stateDisk($0).plain },
        wantedRepair: { PlanRemedy.ask($0).plain },
        otherTarget: { PlanRemedy.choose(target: $0).plain },
        fallbackEntry: PlanRemedy.fallbackEntry.plain,
        otherController: { PlanRemedy.controller($0).plain }, conversion: PlanRemedy.convert.plain,
        statedAddress: { PlanRemedy.stateAddress($0).plain })

    func name(_ remedy: PlanRemedy) -> String {
        switch remedy {
        case .stateDisk(let name): statedDisk(name)
        case .ask(let repair): wantedRepair(repair)
        case .choose(let target): otherTarget(target)
        case .fallbackEntry: fallbackEntry
        case .controller(let controller): otherController(controller)
        case .convert: conversion
        case .stateAddress(let card): statedAddress(card)
        }
    }

    func text(_ sentence: Sentence) -> String { sentence.text(naming: name) }
}
