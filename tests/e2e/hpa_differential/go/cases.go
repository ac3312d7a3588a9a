package main

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/resource"
	autoscalingdefaults "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	podautoscaler "k8s.io/kubernetes/pkg/controller/podautoscaler"
)

// Case has the schema of the files that `python -m adapter.hpa.cases` reads.
type Case struct {
	Kind string
	In   Input
}

// Input has the fields of all kinds.
type Input struct {
	Gates             map[string]bool
	Config            *Config
	CPUInitialization float64  `json:"cpu_initialization_period_s"`
	ReadinessDelay    float64  `json:"initial_readiness_delay_s"`
	ScaleUpFactor     *float64 `json:"scale_up_limit_factor"`
	ScaleUpMinimum    *float64 `json:"scale_up_limit_minimum"`
	Tolerance         Tolerance
	Resource          string
	Container         string
	Pods              []Pod
	UnknownPods       []int64 `json:"unknown_pod_metrics_m"`
	Current           int32   `json:"current_replicas"`
	Desired           int32
	Min               *int32  `json:"min_replicas"`
	Max               int32   `json:"max_replicas"`
	SpecReplicas      int32   `json:"spec_replicas"`
	StatusReplicas    int32   `json:"status_replicas"`
	TargetUtilization int32   `json:"target_utilization"`
	TargetAverage     int64   `json:"target_average_m"`
	TargetValue       int64   `json:"target_value_m"`
	Value             int64   `json:"value_m"`
	Values            []int64 `json:"values_m"`
	Window            int32   `json:"window_s"`
	UpWindow          int32   `json:"up_window_s"`
	DownWindow        int32   `json:"down_window_s"`
	Recommendations   []Recommendation
	ScaleUp           *Rules  `json:"scale_up"`
	ScaleDown         *Rules  `json:"scale_down"`
	Ups               []Event `json:"scale_up_events"`
	Downs             []Event `json:"scale_down_events"`
	Rules             *Rules
	Previous          []Event
	Change            int32
	WindowForSum      int32 `json:"window_for_sum_s"`
	Behavior          *Behavior
	Metrics           []Metric
	Quantity          string
	ScaledToZero      bool   `json:"scaled_to_zero"`
	SelectorError     string `json:"selector_error"`
	ScaleWritable     *bool  `json:"scale_writable"`
}

type Config struct {
	Tolerance         Tolerance
	Stabilization     float64 `json:"downscale_stabilization_s"`
	CPUInitialization float64 `json:"cpu_initialization_period_s"`
	ReadinessDelay    float64 `json:"initial_readiness_delay_s"`
	ScaleUpFactor     float64 `json:"scale_up_limit_factor"`
	ScaleUpMinimum    float64 `json:"scale_up_limit_minimum"`
}

type Tolerance struct{ Down, Up float64 }

const longAgo = 1_000_000_000.0

func usualConfig() *Config {
	return &Config{
		Tolerance: Tolerance{0.1, 0.1}, Stabilization: 300, CPUInitialization: 300, ReadinessDelay: 30,
		ScaleUpFactor: 2, ScaleUpMinimum: 4,
	}
}

// UnmarshalJSON fills in what a case leaves out.
func (c *Case) UnmarshalJSON(text []byte) error {
	type plain Case
	usual := usualConfig()
	c.In = Input{Config: usual, CPUInitialization: usual.CPUInitialization, ReadinessDelay: usual.ReadinessDelay}
	return json.Unmarshal(text, (*plain)(c))
}

// UnmarshalJSON fills in what a case leaves out.
func (p *Pod) UnmarshalJSON(text []byte) error {
	type plain Pod
	start, transition := longAgo, longAgo
	*p = Pod{Start: &start, Transition: &transition, MetricAge: longAgo, MetricWindow: 60}
	return json.Unmarshal(text, (*plain)(p))
}

type Pod struct {
	Phase        string
	Ready        *bool
	Deleted      bool
	Start        *float64 `json:"start_age_s"`
	Transition   *float64 `json:"transition_age_s"`
	Metric       *int64   `json:"metric_m"`
	MetricAge    float64  `json:"metric_age_s"`
	MetricWindow float64  `json:"metric_window_s"`
	Request      *int64   `json:"request_m"`
	PodRequest   *int64   `json:"pod_request_m"`
}

type Metric struct {
	Type     string
	Resource string
	Fails    *string
	Target   Target
	Usage    *int64  `json:"usage_m"`
	Values   []int64 `json:"values_m"`
	Pods     []Pod
	Unknown  []int64 `json:"unknown_pod_metrics_m"`
}

type Target struct {
	Utilization *int32
	Average     *int64 `json:"average_m"`
	Value       *int64 `json:"value_m"`
}

type Recommendation struct {
	Replicas int32   `json:"replicas"`
	Age      float64 `json:"age_s"`
}

type Event struct {
	Change   int32   `json:"change"`
	Age      float64 `json:"age_s"`
	Outdated bool    `json:"outdated"`
}

type Behavior struct {
	ScaleUp   *Rules `json:"scale_up"`
	ScaleDown *Rules `json:"scale_down"`
}

type Rules struct {
	Stabilization *int32 `json:"stabilization_s"`
	Select        *string
	Policies      []Policy
	Tolerance     *string
}

type Policy struct {
	Type   string
	Value  int32
	Period int32 `json:"period_s"`
}

func seconds(value float64) time.Duration {
	return time.Duration(math.Round(value*1000)) * time.Millisecond
}

func ago(age float64) time.Time { return time.Now().Add(-seconds(age)) }

func age(at time.Time) float64 { return float64(time.Since(at).Milliseconds()) / 1000 }

func (r *Rules) given() *autoscaling.HPAScalingRules {
	if r == nil {
		return nil
	}
	rules := &autoscaling.HPAScalingRules{StabilizationWindowSeconds: r.Stabilization}
	if r.Select != nil {
		selected := autoscaling.ScalingPolicySelect(*r.Select)
		rules.SelectPolicy = &selected
	}
	if r.Policies != nil {
		rules.Policies = []autoscaling.HPAScalingPolicy{}
	}
	for _, one := range r.Policies {
		rules.Policies = append(rules.Policies, autoscaling.HPAScalingPolicy{
			Type: autoscaling.HPAScalingPolicyType(one.Type), Value: one.Value, PeriodSeconds: one.Period,
		})
	}
	if r.Tolerance != nil {
		kept := resource.MustParse(stored(*r.Tolerance))
		rules.Tolerance = &kept
	}
	return rules
}

// stored is a quantity as it comes back from the API server.
func stored(text string) string {
	quantity := resource.MustParse(text)
	return strings.Clone(quantity.String())
}

func (b *Behavior) defaulted() *autoscaling.HorizontalPodAutoscalerBehavior {
	return &autoscaling.HorizontalPodAutoscalerBehavior{
		ScaleUp:   autoscalingdefaults.GenerateHPAScaleUpRules(b.ScaleUp.given()),
		ScaleDown: autoscalingdefaults.GenerateHPAScaleDownRules(b.ScaleDown.given()),
	}
}

func events(given []Event) []podautoscaler.OpenedEvent {
	var opened []podautoscaler.OpenedEvent
	for _, one := range given {
		opened = append(opened, podautoscaler.OpenedEvent{Change: one.Change, Time: ago(one.Age), Outdated: one.Outdated})
	}
	return opened
}

func toldEvents(opened []podautoscaler.OpenedEvent) []Event {
	told := []Event{}
	for _, one := range opened {
		told = append(told, Event{one.Change, age(one.Time), one.Outdated})
	}
	return told
}

// recommendations keeps nil, which says that there is no log yet.
func recommendations(given []Recommendation) []podautoscaler.OpenedRecommendation {
	if given == nil {
		return nil
	}
	opened := []podautoscaler.OpenedRecommendation{}
	for _, one := range given {
		opened = append(opened, podautoscaler.OpenedRecommendation{Replicas: one.Replicas, Time: ago(one.Age)})
	}
	return opened
}
