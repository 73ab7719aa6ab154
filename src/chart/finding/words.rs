//! What each kind of finding is called in Chinese: the English message says the particulars.

/// A finding's code in words; none for a code that is not known.
#[must_use]
pub fn in_chinese(code: &str) -> Option<&'static str> {
    names(code).or_else(|| flow(code)).or_else(|| values(code)).or_else(|| family(code))
}

/// Names, and the form of the file.
fn names(code: &str) -> Option<&'static str> {
    Some(match code {
        "not_a_workflow" => "文件不符合流程定义的格式",
        "syntax" => "表达式语法有误",
        "too_deep" => "表达式嵌套过深",
        "too_long" => "文件或表达式过长",
        "duplicate_name" => "名称重复",
        "not_an_identifier" => "名称须以字母开头，只含字母、数字和下划线",
        "unknown_name" => "名称不存在",
        "unknown_attribute" => "属性不存在",
        "unknown_function" => "函数不存在",
        "unknown_role" => "角色不存在",
        "unknown_state" => "状态不存在",
        "unknown_workflow" => "所指的流程不存在",
        "not_a_role" => "应写明单位方和角色",
        "too_many_states" => "状态过多",
        "too_many_steps" => "提醒级数过多",
        _ => return None,
    })
}

/// States, clocks and ladders.
fn flow(code: &str) -> Option<&'static str> {
    Some(match code {
        "no_holder" => "有状态须有人处理，却没有承办方",
        "holder_unset" => "承办方所在字段可能为空",
        "holder_of_closed" => "已结束的状态不需要承办方",
        "no_clock" => "有状态须有人处理，却没有时限",
        "no_reaction" => "时限到期时没有规定如何处理",
        "clock_in_final" => "已结束的状态不得再有时限",
        "clock_not_here" => "该状态没有此时限",
        "clock_stopped" => "时限被中止，无人会再被提醒",
        "armed_twice" => "同一时限被启动两次",
        "replaced_twice" => "同一时限被替换两次",
        "replaces_circle" => "时限互相替换，形成循环",
        "composite_end" => "含子状态的状态不能是结束状态",
        "no_initial" => "含子状态的状态须指明最先进入的子状态",
        "final_accepts" => "结束状态不再接受操作",
        "start_in_state" => "开始操作不得用于状态之内",
        "starts_ended" => "流程一开始就结束",
        "dead_end" => "进入该状态后无法离开",
        "endless" => "自动转移形成死循环",
        "never_ends" => "从该状态无法到达结束状态",
        "unreachable" => "该状态永远到不了",
        "overlap" => "两个转移的条件可能同时成立",
        "never_true" => "条件永远不成立",
        "never_tried" => "该转移永远轮不到",
        "empty_ladder" => "提醒阶梯没有任何一级",
        "empty_step" => "该级提醒没有内容",
        "ladder_ends" => "提醒阶梯会终止，其后无人再被提醒",
        "ladder_unheard" => "重复提醒可能无人收到",
        "repetition_not_last" => "重复提醒应放在阶梯最后",
        "tells_nobody" => "提醒没有对象",
        "tells_nothing" => "提醒没有文字或通道",
        "never_raised" => "没有哪一级会触发该操作",
        "nobody_reacts" => "触发的操作无人处理",
        "offer_needs_input" => "随提醒提供的操作不得有必填项",
        _ => return None,
    })
}

/// Fields, inputs and what stands in them.
fn values(code: &str) -> Option<&'static str> {
    Some(match code {
        "wrong_type" => "值的类型不符",
        "wrong_arguments" => "函数的参数个数不符",
        "no_such_member" => "取值不在规定的代码之内",
        "not_a_date" => "日期格式有误",
        "not_a_duration" => "时长格式有误",
        "not_a_moment" => "时间（cron）格式有误，或未写明何时",
        "may_be_unset" => "该值可能为空",
        "may_not_be_unset" => "该字段不得置空",
        "never_read" => "字段从未使用",
        "never_set" => "字段从未赋值",
        "two_tiers" => "只能有一个等级字段",
        "unbounded" => "计数或集合没有上限",
        "nobody_may" => "没有人可以执行该操作",
        _ => return None,
    })
}

/// How workflows of one family fit together.
fn family(code: &str) -> Option<&'static str> {
    Some(match code {
        "missing_input" => "缺少对方必填的项",
        "unknown_input" => "对方没有该项",
        "no_receiver" => "没有流程接收该信号",
        "unknown_signal" => "接收方没有该信号",
        "never_sent" => "没有流程发出该信号",
        "never_started" => "没有流程启动该子流程",
        "routing_needs" => "标明分流的流程缺少分流所需的字段或项",
        "routing_type" => "分流所需的字段或项类型不符",
        "routing_codes" => "分流所需的代码不齐",
        "routing_personal" => "涉及来电人的项应标明为个人信息",
        "lost_outcome" => "子流程的结果没有得到处理",
        _ => return None,
    })
}
